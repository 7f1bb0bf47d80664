#include "backends/lowered_memory.hpp"

#include <algorithm>

#include "graph/ops/attention.hpp"
#include "graph/ops/experts.hpp"

namespace accelerate {
namespace {

std::int64_t bytes_of(const Shape& shape, const Extents& extents) {
  std::int64_t elements = 1;
  for (const Dim& dim : shape.dims) elements *= dim.evaluate(extents);
  return elements * static_cast<std::int64_t>(sizeof(float));
}

// Names of weights that products read: those it packs, in panels of 16 columns.
std::int64_t packed_bytes(const Graph& graph, const std::set<std::string>& int8) {
  std::int64_t sum = 0;
  std::vector<bool> packed(graph.nodes().size());
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::operation || int8.contains(node.name)) continue;
    const std::string_view name = node.operation->name();
    const bool linear = name == "linear", gated = name == "gated_linear", experts = name == "experts";
    const std::size_t first = experts ? ops::Experts::kFirst : 1;
    for (std::size_t which = first; which < (experts ? node.operands.size() : gated ? 3U : linear ? 2U : 1U); ++which) {
      const auto matrix = static_cast<std::size_t>(node.operands[which].id);
      if (packed[matrix] || graph.nodes()[matrix].source != Node::Source::weight) continue;
      packed[matrix] = true;
      const std::vector<Dim>& dims = graph.nodes()[matrix].type.shape.dims;
      sum += (dims[0].number() + 15) / 16 * 16 * dims[1].number() * static_cast<std::int64_t>(sizeof(float));
    }
  }
  return sum;
}

// What an operation holds while it runs, beside its operands and its result.
std::int64_t scratch_bytes(const Node& node, const Extents& extents, const RuntimeMemory& runtime) {
  const std::int64_t own = bytes_of(node.type.shape, extents);
  if (node.operation->name() == "linear") return runtime.linear_copies * own;
  if (node.operation->name() == "gated_linear") return (1 + runtime.linear_copies) * own;
  if (node.operation->name() == "experts") return (3 + runtime.linear_copies) * own;
  if (node.operation->name() != "attention") return 0;
  const std::vector<Dim>& dims = node.type.shape.dims;
  const auto& op = static_cast<const ops::Attention&>(*node.operation);
  const std::int64_t seen = bytes_of({dims[0], dims[1], dims[1]}, extents);
  // Where heads share keys, which are seen is written once for each of a group.
  const std::int64_t masks = op.heads == op.kv_heads ? 0 : op.heads / op.kv_heads;
  return runtime.attention_rows * own + (runtime.score_copies * op.heads + masks) * seen;
}

std::int64_t activation_bytes(const Graph& graph, const Extents& extents, const RuntimeMemory& runtime) {
  const std::vector<std::size_t> last = graph.last_uses();
  std::vector<std::int64_t> freed(graph.nodes().size() + 1);
  std::int64_t live = 0, peak = 0;
  for (std::size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.source == Node::Source::weight) continue;
    const std::int64_t own = bytes_of(node.type.shape, extents);
    live += own;
    freed[last[i]] += own;
    const bool operation = node.source == Node::Source::operation;
    peak = std::max(peak, live + (operation ? scratch_bytes(node, extents, runtime) : 0));
    live -= freed[i];
  }
  return peak;
}

}  // namespace

MemoryEstimate estimate_memory(const Graph& graph, const Weights& weights, const lowering::OnnxOptions& lowered,
                               const Extents& extents, const RuntimeMemory& runtime) {
  const lowering::OnnxModel model = to_onnx(graph, weights, lowered);
  MemoryEstimate estimate;
  for (const lowering::OnnxInitializer& each : model.initializers) {
    if (each.is_of_weights()) (each.in_place() ? estimate.mapped : estimate.weights) += each.bytes();
  }
  if (lowered.real == DType::f32) estimate.weights += packed_bytes(graph, lowered.int8);
  const auto narrower = static_cast<std::int64_t>(sizeof(float) / size_of(lowered.real));
  estimate.activations = activation_bytes(graph, extents, runtime) / narrower;
  // Rows in memory and, where the runtime keeps them too, the past that a run reads and the one that it writes.
  const std::int64_t copies = lowered.present ? 3 : 1;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::state) continue;
    const Shape& shape = node.type.shape;
    estimate.cache_per_token += copies * bytes_of({shape.dims[2]}, extents);
    estimate.cache += copies * (bytes_of(shape, extents) + bytes_of({shape.dims[0], kTokens, shape.dims[2]}, extents));
  }
  estimate.runtime = runtime.library + static_cast<std::int64_t>(model.nodes.size()) * runtime.node;
  estimate.estimated = true;
  return estimate;
}

}  // namespace accelerate
