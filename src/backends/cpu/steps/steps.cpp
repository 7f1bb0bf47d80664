#include <algorithm>
#include <map>

#include "backends/cpu/fusion.hpp"
#include "backends/cpu/steps/make.hpp"
#include "graph/balance.hpp"

namespace accelerate::cpu {
namespace {

using Maker = std::unique_ptr<Step> (*)(const Context&);

const std::map<std::string_view, Maker>& makers() {
  static const std::map<std::string_view, Maker> table{{"embedding", make_embedding},
                                                       {"linear", make_linear},
                                                       {"gated_linear", make_gated_linear},
                                                       {"experts", make_experts},
                                                       {"layer_norm", make_layer_norm},
                                                       {"rms_norm", make_rms_norm},
                                                       {"attention", make_attention},
                                                       {"rotary_factor", make_rotary_factor},
                                                       {"pool", make_pool},
                                                       {"select_rows", make_select_rows},
                                                       {"normalize", make_normalize},
                                                       {"activate", make_activate},
                                                       {"softcap", make_softcap},
                                                       {"scale", make_scale},
                                                       {"add", make_combine},
                                                       {"multiply", make_combine},
                                                       {"concat", make_concat},
                                                       {"slice", make_slice}};
  return table;
}

bool chooses_experts(const Graph& graph, const std::vector<std::size_t>& group) {
  return std::ranges::any_of(
      group, [&](std::size_t node) { return accelerate::chooses_experts(graph, {static_cast<std::int32_t>(node)}); });
}

}  // namespace

cpu::Activation activation_of(accelerate::Activation activation) {
  switch (activation) {
    case accelerate::Activation::none: return Activation::none;
    case accelerate::Activation::relu: return Activation::relu;
    case accelerate::Activation::gelu: return Activation::gelu_erf;
    case accelerate::Activation::gelu_tanh: return Activation::gelu_tanh;
    case accelerate::Activation::quick_gelu: return Activation::quick_gelu;
    case accelerate::Activation::silu: return Activation::silu;
    case accelerate::Activation::tanh: return Activation::tanh;
    case accelerate::Activation::sigmoid: return Activation::sigmoid;
    case accelerate::Activation::relu_squared: return Activation::relu_squared;
    case accelerate::Activation::relu6: return Activation::relu6;
    case accelerate::Activation::leaky_relu: return Activation::leaky_relu;
    case accelerate::Activation::gelu_10: return Activation::gelu_10;
    case accelerate::Activation::hard_swish: return Activation::hard_swish;
    case accelerate::Activation::mish: return Activation::mish;
    case accelerate::Activation::laplace: return Activation::laplace;
  }
  return Activation::none;
}

ItemRows::ItemRows(const Shape& shape) : batch_(shape.dims[0]), tokens_(shape.dims[1]) {
  if (shape.ragged) symbol_ = shape.ragged_symbol();
}

std::span<const std::int64_t> ItemRows::offsets(const Extents& extents, std::vector<std::int64_t>& uniform) const {
  if (!symbol_.empty()) return extents.offsets(symbol_);
  const std::int64_t batch = batch_.evaluate(extents), tokens = tokens_.evaluate(extents);
  for (std::int64_t i = 0; i <= batch; ++i) uniform.push_back(i * tokens);
  return uniform;
}

std::span<const std::uint8_t> ItemRows::seen(const Extents& extents) const {
  return symbol_.empty() ? std::span<const std::uint8_t>() : extents.seen(symbol_);
}

Precision Context::precision() const {
  if (is_one_row_an_item(operand(0)) || chooses_experts(graph, group)) return Precision::f32;
  Precision highest = precisions.of(node().name);
  for (std::size_t member = 1; member < group.size(); ++member) {
    highest = std::min(highest, precisions.of(node(member).name));  // in order of width
  }
  return highest;
}

std::vector<std::string> lowered_paths(const Graph& graph) {
  std::vector<std::string> paths;
  for (const std::vector<std::size_t>& group : find_fusions(graph).groups) {
    if (group.empty()) continue;
    const Node& node = graph.nodes()[group.front()];
    const std::string_view operation = node.operation->name();
    if (operation != "linear" && operation != "gated_linear" && operation != "experts") continue;
    if (is_one_row_an_item(graph.node(node.operands[0])) || chooses_experts(graph, group)) continue;
    // Layers that share their weights share their path.
    if (std::ranges::find(paths, node.name) == paths.end()) paths.push_back(node.name);
  }
  return paths;
}

bool has_kernel(std::string_view operation) { return makers().contains(operation); }

std::vector<std::unique_ptr<Step>> make_steps(const Graph& graph, const Weights& weights, Level level,
                                              const Precisions& precisions) {
  const Fusion fusion = find_fusions(graph);
  const std::vector<int> uses = use_counts(graph);
  std::vector<std::unique_ptr<Step>> steps;
  for (std::size_t first = 0; first < fusion.groups.size(); ++first) {
    const std::vector<std::size_t>& group = fusion.groups[first];
    if (group.empty()) continue;
    const std::optional<std::size_t> norm = fusion.norms[first];
    const Context context{graph, weights, level, precisions, uses, group, norm ? &graph.nodes()[*norm] : nullptr};
    const Node& node = context.node();
    const auto maker = makers().find(node.operation->name());
    if (maker == makers().end()) {
      throw Error(ErrorKind::unsupported, "operation " + std::string(node.operation->name()) + " has no kernel here",
                  "backend cpu");
    }
    std::unique_ptr<Step> step = maker->second(context);
    step->path = node.name;
    step->operation = node.operation->name();
    step->nodes = group;
    if (norm) step->nodes.push_back(*norm);
    const bool several_results = node.operation->name() == "linear";
    for (std::size_t member = 0; member < (several_results ? group.size() : 1); ++member) {
      step->outputs.push_back(context.value(member));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace accelerate::cpu
