#include "backends/cpu/fusion.hpp"

#include <map>

#include "graph/ops/linear.hpp"
#include "graph/ops/norm.hpp"

namespace accelerate::cpu {
namespace {

bool is_operation(const Node& node, std::string_view name) {
  return node.source == Node::Source::operation && node.operation->name() == name;
}

// Activation and residual belong to one output only: such layers stay alone.
bool may_join(const Node& node) {
  if (!is_operation(node, "linear") || node.operands[3]) return false;
  return static_cast<const ops::Linear&>(*node.operation).activation == accelerate::Activation::none;
}

void join_linears(const Graph& graph, Fusion& fusion) {
  std::map<std::int32_t, std::size_t> leader_of;  // by the value that is read
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!may_join(node)) continue;
    const auto [leader, first] = leader_of.try_emplace(node.operands[0].id, i);
    if (first) continue;
    fusion.groups[leader->second].push_back(i);
    fusion.groups[i].clear();
  }
}

void join_embedding_norms(const Graph& graph, const std::vector<int>& uses, Fusion& fusion) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (!is_operation(node, "layer_norm")) continue;
    const auto x = static_cast<std::size_t>(node.operands[0].id);
    if (!is_operation(graph.nodes()[x], "embedding") || uses[x] != 1) continue;
    fusion.groups[i].push_back(x);
    fusion.groups[x].clear();
  }
}

// Of whole rows, computed by a step of its own.
bool is_row_norm(const Graph& graph, const Fusion& fusion, std::size_t i) {
  const Node& node = graph.nodes()[i];
  if (fusion.groups[i].size() != 1) return false;
  if (is_operation(node, "layer_norm")) return true;
  return is_operation(node, "rms_norm") && static_cast<const ops::RmsNorm&>(*node.operation).groups == 1;
}

void join_norms(const Graph& graph, const std::vector<int>& uses, Fusion& fusion) {
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (fusion.groups[i].empty() || (!is_operation(node, "linear") && !is_operation(node, "gated_linear"))) continue;
    const auto norm = static_cast<std::size_t>(node.operands[0].id);
    if (!is_row_norm(graph, fusion, norm) || uses[norm] != static_cast<int>(fusion.groups[i].size())) continue;
    fusion.norms[i] = norm;
    fusion.groups[norm].clear();
  }
}

}  // namespace

std::vector<int> use_counts(const Graph& graph) {
  std::vector<int> uses(graph.nodes().size(), 0);
  for (const Node& node : graph.nodes()) {
    for (const Value operand : node.operands) {
      if (operand) ++uses[static_cast<std::size_t>(operand.id)];
    }
  }
  for (const Graph::Output& output : graph.outputs()) ++uses[static_cast<std::size_t>(output.value.id)];
  return uses;
}

Fusion find_fusions(const Graph& graph) {
  Fusion fusion;
  const std::vector<int> uses = use_counts(graph);
  fusion.groups.resize(graph.nodes().size());
  fusion.norms.resize(graph.nodes().size());
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    if (graph.nodes()[i].source == Node::Source::operation) fusion.groups[i] = {i};
  }
  join_linears(graph, fusion);
  join_embedding_norms(graph, uses, fusion);
  join_norms(graph, uses, fusion);
  return fusion;
}

}  // namespace accelerate::cpu
