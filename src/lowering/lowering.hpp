// What the lowering of an operation sees of the whole. Operations that ONNX has are in lower_*.cpp; the table that
// finds them is in onnx.cpp.
#pragma once

#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "graph/activation.hpp"
#include "graph/graph.hpp"
#include "graph/ops/norm.hpp"
#include "lowering/onnx.hpp"
#include "lowering/onnx_builder.hpp"

namespace accelerate::lowering {

// What a state is to the attention that keeps it.
struct StateUse {
  std::int64_t heads = 0;
  std::int64_t layer = 0;  // of those that keep something
  std::string part;        // "key" or "value"
};

class Lowering {
 public:
  Lowering(const Graph& graph, const Weights& weights, const OnnxOptions& options);

  OnnxBuilder& builder() { return builder_; }
  const OnnxOptions& options() const { return options_; }
  // Of a value of the graph, as the graph has it.
  const Shape& shape_of(Value value) const { return graph_.node(value).type.shape; }
  // A result of this shape.
  Operand real(std::string name, Shape shape) const;

  // i64 [batch, symbol]: 1 at rows that are seen.
  Operand mask(const std::string& symbol);
  // Where rows lie in a padded tensor, OnnxInput::Source.
  Operand row_of_place(const std::string& symbol);
  Operand place_of_row(const std::string& symbol);
  // Rows at their places: [batch, symbol, ...]; given back as it is where it is padded already.
  Operand padded(const Operand& value, const std::string& symbol);
  // The other way round: [batch, symbol, ...] to [symbol.rows, ...].
  Operand rows_of(const Operand& padded, const std::string& symbol);
  // x times the transposed matrix that is operand `which` of `node`, plus a bias where there is one: [..., out].
  Operand product(const Node& node, std::size_t which, const Operand& x, const Operand& bias);
  // Rows of the table that is operand `which` of `node`.
  Operand looked_up(const Node& node, std::size_t which, const Operand& index);
  Operand activate(const Operand& x, Activation activation);
  // a + b, where one of them broadcasts; a where b is left out.
  Operand add(const Operand& a, const Operand& b);
  // What a run adds to a state, [batch, tokens, n] or by heads, [batch, kv_heads, tokens, head_dim], and what the state
  // then holds, [batch, kv_heads, past + tokens, head_dim]: outputs of the model after those of the graph.
  void append_to(const Operand& state, const Operand& added, const Operand& present);
  // What an RMS norm multiplies with.
  std::string factor_of(const ops::RmsNorm& op, const Operand& weight);
  // What `make` computes in primitives from these values.
  using Make = std::function<Value(Primitives&, std::span<const Value>)>;
  Operand primitives(const Make& make, std::span<const Operand> operands);

  OnnxModel run();

 private:
  Operand source(std::size_t index);
  Operand input(const Node& node);
  Operand table(const Node& node);
  Operand state(const Node& node);
  Operand whole_mask();
  void output_states();
  bool is_file() const { return options_.self_contained > 0; }
  // The symbol of the most positions of an item.
  const Dim& longest() const { return graph_.keeps_state() ? kPositions : kTokens; }
  Operand as_it_is(const std::string& name, Tensor values);
  Operand either(const Node& node, const Tensor& brief, const Tensor& prolonged);
  Operand positions(const Node& node);
  Operand unmasked_positions(const Node& node);
  struct Sum {
    Operand a, b;
  };
  // Whether this sum is left to the norm that reads it first, what it is a sum of, and then that norm; nothing where
  // none is left to it.
  bool waits_for_norm(const Node& node) const;
  Sum parts_of_sum(const Node& node, std::span<const Operand> operands);
  bool is_read_besides_norm(Value sum) const;
  Operand norm_of_sum(const Node& node, std::span<const Operand> operands);
  bool is_written_by_readers(std::size_t index) const;
  Operand int8_product(const Node& node, const Weight& weight, const Operand& x);
  Operand lower(const Node& node);
  Operand index_input(OnnxInput::Source source, const std::string& name, const std::string& symbol, Shape shape);

  const Graph& graph_;
  const Weights& weights_;
  OnnxOptions options_;
  OnnxBuilder builder_;
  std::vector<Operand> values_;                        // by node
  std::map<std::int32_t, Sum> sums_;                   // that wait, by node
  std::map<std::string, StateUse, std::less<>> uses_;  // of states, by the names of their inputs
  struct Added {
    std::string state;  // its input
    StateUse use;
    Operand rows, present;  // [batch, tokens, n], in files left out; by heads
  };
  std::vector<Added> added_;
};

// Nothing: not lowered this way with these options; its decomposition is.
using Override = Operand (*)(Lowering&, const Node&, std::span<const Operand>);

Operand lower_embedding(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_linear(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_gated_linear(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_experts(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_layer_norm(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_rms_norm(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_activate(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_pool(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_rotary_factor(Lowering& lowering, const Node& node, std::span<const Operand> operands);
Operand lower_attention(Lowering& lowering, const Node& node, std::span<const Operand> operands);

}  // namespace accelerate::lowering
