// The small operations that every coarse one is made of: the oracle evaluates them, lowerings and gradients start here.
//
// Values are dense and padded: a ragged [batch, tokens~, n] is [batch, tokens, n] here, and mask("tokens") tells the
// real rows from the padding. Element-wise operations broadcast as NumPy does.
#pragma once

#include "graph/graph.hpp"

namespace accelerate {

enum class PrimitiveKind {
  constant,
  size,
  iota,
  add,
  subtract,
  multiply,
  divide,
  maximum,
  minimum,
  less,
  equal,
  exp,
  log,
  sqrt,
  tanh,
  erf,
  sin,
  cos,
  abs,
  select,
  sum,
  max,
  matmul,
  transpose,
  reshape,
  broadcast,
  concat,
  slice,
  gather,
};

struct Primitive final : Operation {
  PrimitiveKind kind;
  std::vector<std::int64_t> numbers;  // axis of iota, sum, max, concat, slice; permutation of transpose
  std::vector<Dim> sizes;             // of reshape, broadcast, iota, size; begin and end of slice
  double value = 0;                   // of constant

  explicit Primitive(PrimitiveKind k) : kind(k) {}
  std::string_view name() const override;
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// Builds graphs of primitives.
class Primitives {
 public:
  explicit Primitives(std::string graph_name) : name_(std::move(graph_name)) {}

  // Inputs, weights and tables keep their names; ragged types become dense ones.
  Value source(const Node& node);
  // Rows [batch, tokens, n] of this run go behind those that a state holds: an output named rows_added_to(its name).
  void append_to(Value state, Value rows);
  // [batch, symbol]: 1 at rows of an item, 0 at padding and at rows that are not seen (Extents::set_seen). An input
  // named "<symbol>.mask".
  Value mask(const std::string& symbol);

  Value constant(double value);                           // []
  Value size(Dim dim);                                    // [], a number known when the sizes are
  Value iota(std::int64_t axis, std::vector<Dim> sizes);  // index along one axis
  Value add(Value a, Value b);
  Value subtract(Value a, Value b);
  Value multiply(Value a, Value b);
  Value divide(Value a, Value b);
  Value maximum(Value a, Value b);
  Value minimum(Value a, Value b);
  Value less(Value a, Value b);   // 1 or 0
  Value equal(Value a, Value b);  // 1 or 0
  Value exp(Value x);
  Value log(Value x);
  Value sqrt(Value x);
  Value tanh(Value x);
  Value erf(Value x);
  Value sin(Value x);
  Value cos(Value x);
  Value abs(Value x);
  Value select(Value condition, Value if_true, Value if_false);
  Value sum(Value x, std::int64_t axis);  // the axis stays, with size 1; negative axes count from the end
  Value max(Value x, std::int64_t axis);
  Value matmul(Value a, Value b);  // over the last two axes, the others broadcast
  Value transpose(Value x, std::vector<std::int64_t> permutation);
  Value reshape(Value x, std::vector<Dim> sizes);
  Value broadcast(Value x, std::vector<Dim> sizes);
  Value concat(std::span<const Value> parts, std::int64_t axis);
  Value slice(Value x, std::int64_t axis, Dim begin, Dim end);
  Value gather(Value table, Value index);  // rows of table: index.shape + table.shape[1:]

  const Type& type(Value value) const { return nodes_.at(static_cast<std::size_t>(value.id)).type; }
  const Shape& shape(Value value) const { return type(value).shape; }
  std::int64_t rank(Value value) const { return static_cast<std::int64_t>(shape(value).rank()); }
  // Mean over the last axis, which stays with size 1.
  Value mean_last(Value x);
  // Exchanges the last two axes.
  Value transpose_last(Value x);

  // The outputs given, and the rows added to states.
  Graph finish(std::vector<Graph::Output> outputs);

 private:
  Value append(Primitive primitive, std::vector<Value> operands);
  Value binary(PrimitiveKind kind, Value a, Value b) { return append(Primitive(kind), {a, b}); }
  Value unary(PrimitiveKind kind, Value x) { return append(Primitive(kind), {x}); }
  Value reduce(PrimitiveKind kind, Value x, std::int64_t axis);

  std::string name_;
  std::vector<Node> nodes_;
  std::vector<Graph::Output> added_;
};

// What graphs of primitives and lowered models call the rows that a run adds to a state; the state itself is an input.
std::string rows_added_to(const std::string& state);

// The whole graph in primitives.
Graph decompose(const Graph& graph);

}  // namespace accelerate
