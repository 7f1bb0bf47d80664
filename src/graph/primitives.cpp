#include "graph/primitives.hpp"

#include <algorithm>

namespace accelerate {
namespace {

constexpr std::string_view kNames[] = {
    "constant", "size", "iota",   "add",       "subtract", "multiply",  "divide", "maximum", "minimum", "less",
    "equal",    "exp",  "log",    "sqrt",      "tanh",     "erf",       "sin",    "cos",     "abs",     "select",
    "sum",      "max",  "matmul", "transpose", "reshape",  "broadcast", "concat", "slice",   "gather"};

[[noreturn]] void does_not_fit(const Primitive& op, const std::string& what) {
  throw Error(ErrorKind::internal, std::string(op.name()) + ": " + what);
}

Dim broadcast_dim(const Primitive& op, const Dim& a, const Dim& b) {
  if (a == b || b == Dim(1)) return a;
  if (a == Dim(1)) return b;
  does_not_fit(op, "sizes " + a.to_string() + " and " + b.to_string() + " do not broadcast");
}

Shape broadcast_shapes(const Primitive& op, const Shape& a, const Shape& b, std::size_t keep = 0) {
  const std::size_t rank = std::max(a.rank(), b.rank());
  std::vector<Dim> dims(rank);
  for (std::size_t i = keep; i < rank; ++i) {
    const Dim left = i < a.rank() ? a.dims[a.rank() - 1 - i] : Dim(1);
    const Dim right = i < b.rank() ? b.dims[b.rank() - 1 - i] : Dim(1);
    dims[rank - 1 - i] = broadcast_dim(op, left, right);
  }
  return Shape(std::move(dims));
}

Type infer_matmul(const Primitive& op, const Type& a, const Type& b) {
  const Shape &x = a.shape, &y = b.shape;
  if (x.rank() < 2 || y.rank() < 2 || x.last() != y.dims[y.rank() - 2]) {
    does_not_fit(op, x.to_string() + " times " + y.to_string());
  }
  Shape shape = broadcast_shapes(op, x, y, 2);
  shape.dims[shape.rank() - 2] = x.dims[x.rank() - 2];
  shape.dims.back() = y.last();
  return {Element::real, shape};
}

Type infer_concat(std::size_t axis, Operands operands) {
  Type type = *operands[0];
  for (const Type* part : operands.subspan(1)) type.shape.dims[axis] += part->shape.dims[axis];
  return type;
}

Type dense(Type type) {
  type.shape.ragged = false;
  return type;
}

}  // namespace

std::string_view Primitive::name() const { return kNames[static_cast<std::size_t>(kind)]; }

Attributes Primitive::attributes() const {
  Attributes result;
  if (kind == PrimitiveKind::constant) result.emplace_back("value", std::to_string(value));
  if (!numbers.empty()) result.emplace_back("axes", accelerate::to_string(numbers));
  if (!sizes.empty()) result.emplace_back("sizes", Shape(sizes).to_string());
  return result;
}

Type Primitive::infer(Operands operands) const {
  const auto shape = [&](std::size_t i) -> const Shape& { return operands[i]->shape; };
  switch (kind) {
    case PrimitiveKind::constant:
    case PrimitiveKind::size: return {Element::real, Shape{}};
    case PrimitiveKind::iota: return {Element::index, Shape(sizes)};
    case PrimitiveKind::add:
    case PrimitiveKind::subtract:
    case PrimitiveKind::multiply:
    case PrimitiveKind::divide:
    case PrimitiveKind::maximum:
    case PrimitiveKind::minimum:
    case PrimitiveKind::less:
    case PrimitiveKind::equal: return {operands[0]->element, broadcast_shapes(*this, shape(0), shape(1))};
    case PrimitiveKind::select:
      return {operands[1]->element, broadcast_shapes(*this, shape(0), broadcast_shapes(*this, shape(1), shape(2)))};
    case PrimitiveKind::exp:
    case PrimitiveKind::log:
    case PrimitiveKind::sqrt:
    case PrimitiveKind::tanh:
    case PrimitiveKind::erf:
    case PrimitiveKind::sin:
    case PrimitiveKind::cos:
    case PrimitiveKind::abs: return {Element::real, shape(0)};
    case PrimitiveKind::sum:
    case PrimitiveKind::max: {
      Type type = *operands[0];
      type.shape.dims[static_cast<std::size_t>(numbers[0])] = 1;
      return type;
    }
    case PrimitiveKind::matmul: return infer_matmul(*this, *operands[0], *operands[1]);
    case PrimitiveKind::transpose: {
      Type type = *operands[0];
      for (std::size_t i = 0; i < numbers.size(); ++i) {
        type.shape.dims[i] = shape(0).dims[static_cast<std::size_t>(numbers[i])];
      }
      return type;
    }
    case PrimitiveKind::reshape:
      if (Shape(sizes).elements() != shape(0).elements()) {
        does_not_fit(*this, shape(0).to_string() + " to " + Shape(sizes).to_string());
      }
      return {operands[0]->element, Shape(sizes)};
    case PrimitiveKind::broadcast:
      if (broadcast_shapes(*this, shape(0), Shape(sizes)) != Shape(sizes)) {
        does_not_fit(*this, shape(0).to_string() + " to " + Shape(sizes).to_string());
      }
      return {operands[0]->element, Shape(sizes)};
    case PrimitiveKind::concat: return infer_concat(static_cast<std::size_t>(numbers[0]), operands);
    case PrimitiveKind::slice: {
      Type type = *operands[0];
      type.shape.dims[static_cast<std::size_t>(numbers[0])] = sizes[1] - sizes[0];
      return type;
    }
    case PrimitiveKind::gather: {
      std::vector<Dim> dims = shape(1).dims;
      dims.insert(dims.end(), shape(0).dims.begin() + 1, shape(0).dims.end());
      return {operands[0]->element, Shape(std::move(dims))};
    }
  }
  does_not_fit(*this, "unknown primitive");
}

Value Primitive::decompose(Primitives&, std::span<const Value>) const { does_not_fit(*this, "is a primitive already"); }

Cost Primitive::cost(Operands operands, const Type& result) const {
  Cost cost{.flops = result.shape.elements(), .bytes = Dim(4) * result.shape.elements()};
  for (const Type* operand : operands) cost.bytes += Dim(4) * operand->shape.elements();
  if (kind == PrimitiveKind::matmul) cost.flops = Dim(2) * result.shape.elements() * operands[0]->shape.last();
  return cost;
}

Value Primitives::source(const Node& node) {
  nodes_.push_back(node);
  nodes_.back().type = dense(node.type);
  return {static_cast<std::int32_t>(nodes_.size() - 1)};
}

Value Primitives::mask(const std::string& symbol) {
  const std::string name = symbol + ".mask";
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].source == Node::Source::input && nodes_[i].name == name) return {static_cast<std::int32_t>(i)};
  }
  Node node;
  node.source = Node::Source::input;
  node.name = name;
  node.type = {Element::real, Shape{kBatch, Dim::symbol(symbol)}};
  return source(node);
}

Value Primitives::append(Primitive primitive, std::vector<Value> operands) {
  std::vector<const Type*> types;
  for (const Value operand : operands) types.push_back(&type(operand));
  Node node;
  node.type = primitive.infer(types);
  node.operation = std::make_shared<Primitive>(std::move(primitive));
  node.operands = std::move(operands);
  nodes_.push_back(std::move(node));
  return {static_cast<std::int32_t>(nodes_.size() - 1)};
}

Value Primitives::constant(double value) {
  Primitive primitive(PrimitiveKind::constant);
  primitive.value = value;
  return append(std::move(primitive), {});
}

Value Primitives::size(Dim dim) {
  Primitive primitive(PrimitiveKind::size);
  primitive.sizes = {std::move(dim)};
  return append(std::move(primitive), {});
}

Value Primitives::iota(std::int64_t axis, std::vector<Dim> sizes) {
  Primitive primitive(PrimitiveKind::iota);
  primitive.numbers = {axis};
  primitive.sizes = std::move(sizes);
  return append(std::move(primitive), {});
}

Value Primitives::add(Value a, Value b) { return binary(PrimitiveKind::add, a, b); }
Value Primitives::subtract(Value a, Value b) { return binary(PrimitiveKind::subtract, a, b); }
Value Primitives::multiply(Value a, Value b) { return binary(PrimitiveKind::multiply, a, b); }
Value Primitives::divide(Value a, Value b) { return binary(PrimitiveKind::divide, a, b); }
Value Primitives::maximum(Value a, Value b) { return binary(PrimitiveKind::maximum, a, b); }
Value Primitives::minimum(Value a, Value b) { return binary(PrimitiveKind::minimum, a, b); }
Value Primitives::less(Value a, Value b) { return binary(PrimitiveKind::less, a, b); }
Value Primitives::equal(Value a, Value b) { return binary(PrimitiveKind::equal, a, b); }
Value Primitives::exp(Value x) { return unary(PrimitiveKind::exp, x); }
Value Primitives::log(Value x) { return unary(PrimitiveKind::log, x); }
Value Primitives::sqrt(Value x) { return unary(PrimitiveKind::sqrt, x); }
Value Primitives::tanh(Value x) { return unary(PrimitiveKind::tanh, x); }
Value Primitives::erf(Value x) { return unary(PrimitiveKind::erf, x); }
Value Primitives::sin(Value x) { return unary(PrimitiveKind::sin, x); }
Value Primitives::cos(Value x) { return unary(PrimitiveKind::cos, x); }
Value Primitives::abs(Value x) { return unary(PrimitiveKind::abs, x); }

Value Primitives::select(Value condition, Value if_true, Value if_false) {
  return append(Primitive(PrimitiveKind::select), {condition, if_true, if_false});
}

Value Primitives::reduce(PrimitiveKind kind, Value x, std::int64_t axis) {
  Primitive primitive(kind);
  primitive.numbers = {axis < 0 ? axis + rank(x) : axis};
  return append(std::move(primitive), {x});
}

Value Primitives::sum(Value x, std::int64_t axis) { return reduce(PrimitiveKind::sum, x, axis); }
Value Primitives::max(Value x, std::int64_t axis) { return reduce(PrimitiveKind::max, x, axis); }
Value Primitives::matmul(Value a, Value b) { return binary(PrimitiveKind::matmul, a, b); }

Value Primitives::transpose(Value x, std::vector<std::int64_t> permutation) {
  Primitive primitive(PrimitiveKind::transpose);
  primitive.numbers = std::move(permutation);
  return append(std::move(primitive), {x});
}

Value Primitives::reshape(Value x, std::vector<Dim> sizes) {
  Primitive primitive(PrimitiveKind::reshape);
  primitive.sizes = std::move(sizes);
  return append(std::move(primitive), {x});
}

Value Primitives::broadcast(Value x, std::vector<Dim> sizes) {
  Primitive primitive(PrimitiveKind::broadcast);
  primitive.sizes = std::move(sizes);
  return append(std::move(primitive), {x});
}

Value Primitives::concat(std::span<const Value> parts, std::int64_t axis) {
  Primitive primitive(PrimitiveKind::concat);
  primitive.numbers = {axis < 0 ? axis + rank(parts[0]) : axis};
  return append(std::move(primitive), {parts.begin(), parts.end()});
}

Value Primitives::slice(Value x, std::int64_t axis, Dim begin, Dim end) {
  Primitive primitive(PrimitiveKind::slice);
  primitive.numbers = {axis < 0 ? axis + rank(x) : axis};
  primitive.sizes = {std::move(begin), std::move(end)};
  return append(std::move(primitive), {x});
}

Value Primitives::gather(Value table, Value index) { return binary(PrimitiveKind::gather, table, index); }

Value Primitives::mean_last(Value x) {
  const Value count = constant(static_cast<double>(shape(x).last().number()));
  return divide(sum(x, -1), count);
}

Value Primitives::transpose_last(Value x) {
  std::vector<std::int64_t> permutation;
  for (std::int64_t i = 0; i < rank(x); ++i) permutation.push_back(i);
  std::swap(permutation[permutation.size() - 1], permutation[permutation.size() - 2]);
  return transpose(x, std::move(permutation));
}

void Primitives::append_to(Value state, Value rows) {
  added_.push_back({rows_added_to(nodes_.at(static_cast<std::size_t>(state.id)).name), rows});
}

Graph Primitives::finish(std::vector<Graph::Output> outputs) {
  outputs.insert(outputs.end(), added_.begin(), added_.end());
  return {name_, std::move(nodes_), std::move(outputs)};
}

std::string rows_added_to(const std::string& state) { return state + ".added"; }

Graph decompose(const Graph& graph) {
  Primitives p(graph.name());
  std::vector<Value> moved;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::operation) {
      moved.push_back(p.source(node));
      continue;
    }
    std::vector<Value> operands;
    for (const Value operand : node.operands) {
      operands.push_back(operand ? moved[static_cast<std::size_t>(operand.id)] : Value{});
    }
    const Value result = node.operation->decompose(p, operands);
    if (p.type(result).shape.dims != node.type.shape.dims) {
      throw Error(ErrorKind::internal, std::string(node.operation->name()) + " decomposes to " +
                                           p.shape(result).to_string() + ", its shape rule says " +
                                           node.type.shape.to_string());
    }
    moved.push_back(result);
  }
  std::vector<Graph::Output> outputs;
  for (const Graph::Output& output : graph.outputs()) {
    outputs.push_back({output.name, moved[static_cast<std::size_t>(output.value.id)]});
  }
  return p.finish(std::move(outputs));
}

}  // namespace accelerate
