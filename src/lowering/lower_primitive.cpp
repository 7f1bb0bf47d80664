#include "lowering/lower_primitive.hpp"

#include <algorithm>
#include <cmath>

namespace accelerate::lowering {
namespace {

using Kind = PrimitiveKind;

struct Row {
  Kind kind;
  const char* type;
};

// Primitives that are one ONNX operator of the same meaning.
constexpr Row kOperators[] = {
    {Kind::add, "Add"},       {Kind::subtract, "Sub"},  {Kind::multiply, "Mul"}, {Kind::divide, "Div"},
    {Kind::less, "Less"},     {Kind::equal, "Equal"},   {Kind::maximum, "Max"},  {Kind::minimum, "Min"},
    {Kind::exp, "Exp"},       {Kind::log, "Log"},       {Kind::sqrt, "Sqrt"},    {Kind::tanh, "Tanh"},
    {Kind::erf, "Erf"},       {Kind::sin, "Sin"},       {Kind::cos, "Cos"},      {Kind::abs, "Abs"},
    {Kind::sum, "ReduceSum"}, {Kind::max, "ReduceMax"}, {Kind::matmul, "MatMul"}};

const char* operator_of(Kind kind) {
  const auto* found =
      std::find_if(std::begin(kOperators), std::end(kOperators), [&](const Row& r) { return r.kind == kind; });
  return found->type;
}

bool is_integer(const Operand& value) {
  if (value.number) return *value.number == std::floor(*value.number);
  return value.size || value.dtype == DType::i64;
}

// The type in which values meet: i64 where all of them are integers, else real.
DType common_type(const OnnxBuilder& b, std::span<const Operand> values) {
  return std::all_of(values.begin(), values.end(), is_integer) ? DType::i64 : b.real();
}

std::vector<std::string> named(OnnxBuilder& b, std::span<const Operand> values, DType dtype) {
  std::vector<std::string> names;
  for (const Operand& value : values) names.push_back(b.as(value, dtype));
  return names;
}

Operand elementwise(OnnxBuilder& b, const Primitive& op, std::span<const Operand> in, const Shape& shape) {
  const bool compares = op.kind == Kind::less || op.kind == Kind::equal;
  const bool always_real = in.size() == 1 ? op.kind != Kind::abs : op.kind == Kind::divide;
  const DType dtype = always_real ? b.real() : common_type(b, in);
  return {.name = b.node(operator_of(op.kind), named(b, in, dtype)),
          .dtype = compares ? DType::boolean : dtype,
          .shape = shape};
}

Operand select(OnnxBuilder& b, std::span<const Operand> in, const Shape& shape) {
  const DType dtype = common_type(b, in.subspan(1));
  return {.name = b.node("Where", {b.condition(in[0]), b.as(in[1], dtype), b.as(in[2], dtype)}),
          .dtype = dtype,
          .shape = shape};
}

// Integers are reduced as f32, exact up to 2^24: OpenVINO 2026.4 computes wrong numbers where arithmetic follows a
// reduction of integers.
Operand reduce(OnnxBuilder& b, const Primitive& op, const Operand& x, const Shape& shape) {
  const DType dtype = common_type(b, {&x, 1});
  const DType reduced = dtype == DType::i64 ? DType::f32 : dtype;
  std::vector<std::string> inputs{b.as(x, reduced)};
  std::vector<OnnxAttribute> attributes{{"keepdims", std::int64_t{1}}};
  // Reductions took their axes as an attribute before they took them as an input; sums changed first.
  if (op.kind == Kind::sum || b.opset() >= 18) {
    inputs.push_back(b.indices(op.numbers));
  } else {
    attributes.push_back({"axes", op.numbers});
  }
  const std::string name = b.node(operator_of(op.kind), std::move(inputs), std::move(attributes));
  return {.name = b.as({.name = name, .dtype = reduced, .shape = shape}, dtype), .dtype = dtype, .shape = shape};
}

// 0, 1, 2, ... along one axis.
Operand iota(OnnxBuilder& b, const Primitive& op, const Shape& shape) {
  const auto axis = static_cast<std::size_t>(op.numbers[0]);
  const Dim& count = shape.dims[axis];
  return b.once("iota " + std::to_string(axis) + " " + shape.to_string(), [&]() -> Operand {
    const std::string end = b.node("Squeeze", {b.size(count)});
    const Operand line{.name = b.node("Range", {b.scalar(0, DType::i64), end, b.scalar(1, DType::i64)}),
                       .dtype = DType::i64,
                       .shape = Shape{count}};
    std::vector<Dim> dims(shape.rank(), Dim(1));
    dims[axis] = count;
    const Operand placed = shape.rank() == 1 ? line : b.reshape(line, dims);
    if (Shape(dims) == shape) return placed;
    return {.name = b.node("Expand", {placed.name, b.sizes(shape.dims)}), .dtype = DType::i64, .shape = shape};
  });
}

}  // namespace

Operand lower_primitive(OnnxBuilder& b, const Primitive& op, std::span<const Operand> in, const Shape& shape) {
  switch (op.kind) {
    case Kind::constant: return {.shape = shape, .number = op.value};
    case Kind::size: return {.shape = shape, .size = op.sizes[0]};
    case Kind::iota: return iota(b, op, shape);
    case Kind::select: return select(b, in, shape);
    case Kind::sum:
    case Kind::max: return reduce(b, op, in[0], shape);
    case Kind::matmul: return {.name = b.node("MatMul", named(b, in, b.real())), .dtype = b.real(), .shape = shape};
    case Kind::transpose: return b.transpose(in[0], op.numbers);
    case Kind::reshape: return b.reshape(in[0], op.sizes);
    case Kind::broadcast:
      return {.name = b.node("Expand", {in[0].name, b.sizes(op.sizes)}), .dtype = in[0].dtype, .shape = shape};
    case Kind::concat: {
      const DType dtype = common_type(b, in);
      return {.name = b.node("Concat", named(b, in, dtype), {{"axis", op.numbers[0]}}), .dtype = dtype, .shape = shape};
    }
    case Kind::slice: return b.slice(in[0], op.numbers[0], op.sizes[0], op.sizes[1]);
    case Kind::gather: return b.gather(in[0], in[1]);
    default: return elementwise(b, op, in, shape);
  }
}

}  // namespace accelerate::lowering
