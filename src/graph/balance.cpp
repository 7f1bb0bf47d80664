#include "graph/balance.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "graph/ops/norm.hpp"

namespace accelerate {
namespace {

std::vector<float> values_of(const Weights& weights, const std::string& name) {
  const Tensor values = weights.at(name).to_f32();
  const auto span = std::as_const(values).as<float>();
  return {span.begin(), span.end()};
}

}  // namespace

InputNorm input_norm(const Graph& graph, const Node& product) {
  const Node& input = graph.node(product.operands[0]);
  if (input.source != Node::Source::operation) return {};
  const auto name_of = [&](std::size_t operand) -> std::string {
    const Value value = operand < input.operands.size() ? input.operands[operand] : Value{};
    return value && graph.node(value).source == Node::Source::weight ? graph.node(value).name : "";
  };
  if (input.operation->name() == "layer_norm") return {name_of(1), name_of(2), 0};
  if (input.operation->name() == "rms_norm")
    return {name_of(1), "", static_cast<const ops::RmsNorm&>(*input.operation).offset};
  return {};
}

// Normed features have variance 1 before weight and bias: few lie beyond three deviations.
std::vector<float> magnitudes(const Weights& weights, const InputNorm& norm) {
  std::vector<float> sizes = values_of(weights, norm.weight);
  const std::vector<float> bias = norm.bias.empty() ? std::vector<float>{} : values_of(weights, norm.bias);
  for (std::size_t k = 0; k < sizes.size(); ++k) {
    sizes[k] = 3 * std::abs(sizes[k] + static_cast<float>(norm.offset)) + (bias.empty() ? 0 : std::abs(bias[k]));
  }
  return sizes;
}

std::vector<float> balance(std::span<const float> magnitudes, std::vector<float> weight_sizes) {
  constexpr float kShare = 0.4F;  // of the inputs: measured on trained encoders
  for (std::size_t k = 0; k < weight_sizes.size(); ++k) {
    const float factor = std::pow(magnitudes[k], kShare) / std::pow(weight_sizes[k], 1 - kShare);
    weight_sizes[k] = std::isfinite(factor) && factor > 0 ? factor : 1.0F;
  }
  return weight_sizes;
}

bool is_one_row_an_item(const Node& node) {
  const Shape& shape = node.type.shape;
  return shape.rank() == 2 && shape.dims[0] == kBatch;
}

bool chooses_experts(const Graph& graph, Value product) {
  return std::ranges::any_of(graph.nodes(), [&](const Node& node) {
    return node.source == Node::Source::operation && node.operation->name() == "experts" && node.operands[1] == product;
  });
}

}  // namespace accelerate
