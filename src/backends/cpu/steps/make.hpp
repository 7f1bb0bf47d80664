// Makers of steps: one file a kind of operation.
#pragma once

#include "backends/cpu/step.hpp"
#include "graph/activation.hpp"

namespace accelerate::cpu {

// What a maker of steps sees: the node, and the nodes that run with it.
struct Context {
  const Graph& graph;
  const Weights& weights;
  Level level;
  const Precisions& precisions;
  const std::vector<int>& uses;
  const std::vector<std::size_t>& group;
  const Node* norm;  // that runs before the product in the same step, or null

  const Node& node(std::size_t member = 0) const { return graph.nodes()[group[member]]; }
  Value value(std::size_t member = 0) const { return {static_cast<std::int32_t>(group[member])}; }
  const Node& operand(std::size_t index, std::size_t member = 0) const {
    return graph.node(node(member).operands[index]);
  }
  const std::string& weight_name(std::size_t index, std::size_t member = 0) const {
    return weight_name(node(member), index);
  }
  const std::string& weight_name(const Node& of, std::size_t index) const {
    const Node& weight = graph.node(of.operands[index]);
    if (weight.source != Node::Source::weight) {
      throw Error(ErrorKind::unsupported, std::string(of.operation->name()) + " with a computed weight", of.name);
    }
    return weight.name;
  }
  // Of the product that the nodes make together: the highest that one of them asks for. A product with one row an item
  // (a pooler, a classifier), or one that chooses experts, stays in f32: it costs nothing and decides the answer.
  Precision precision() const;
  VectorWeight vector(std::size_t index) const { return vector(node(), index); }
  VectorWeight vector(const Node& of, std::size_t index) const {
    if (!of.operands[index]) return {};
    return {weights, {{weight_name(of, index), graph.node(of.operands[index]).type.shape.last().number()}}};
  }
  template <typename Operation>
  const Operation& as(std::size_t member = 0) const {
    return static_cast<const Operation&>(*node(member).operation);
  }
};

Activation activation_of(accelerate::Activation activation);

// Which rows the items of a [batch, tokens, ...] value have. Asked in each run: what it is found by is made once.
class ItemRows {
 public:
  explicit ItemRows(const Shape& shape);

  // Where each item's rows begin, and where the last one's end; `uniform` holds them where the value is dense.
  std::span<const std::int64_t> offsets(const Extents& extents, std::vector<std::int64_t>& uniform) const;
  // Extents::seen; empty where the value is dense.
  std::span<const std::uint8_t> seen(const Extents& extents) const;

 private:
  std::string symbol_;  // of the ragged axis
  Dim batch_, tokens_;  // where there is none
};

std::unique_ptr<Step> make_embedding(const Context& c);
std::unique_ptr<Step> make_linear(const Context& c);
std::unique_ptr<Step> make_gated_linear(const Context& c);
std::unique_ptr<Step> make_experts(const Context& c);
std::unique_ptr<Step> make_layer_norm(const Context& c);
std::unique_ptr<Step> make_rms_norm(const Context& c);
std::unique_ptr<Step> make_attention(const Context& c);
std::unique_ptr<Step> make_rotary_factor(const Context& c);
std::unique_ptr<Step> make_pool(const Context& c);
std::unique_ptr<Step> make_select_rows(const Context& c);
std::unique_ptr<Step> make_normalize(const Context& c);
std::unique_ptr<Step> make_activate(const Context& c);
std::unique_ptr<Step> make_softcap(const Context& c);
std::unique_ptr<Step> make_scale(const Context& c);
std::unique_ptr<Step> make_combine(const Context& c);
std::unique_ptr<Step> make_concat(const Context& c);
std::unique_ptr<Step> make_slice(const Context& c);

}  // namespace accelerate::cpu
