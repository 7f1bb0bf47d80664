#include "runtime/prediction.hpp"

#include "backends/place.hpp"

namespace accelerate::runtime {
namespace {

// The ids, positions and rows of a source that a run is fed with.
std::int64_t feed_bytes(const Graph& graph, const Extents& extents) {
  std::int64_t bytes = 0;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input) continue;
    const std::int64_t size = node.type.element == Element::real ? sizeof(float) : sizeof(std::int64_t);
    bytes += size * node.type.shape.elements().evaluate(extents);
  }
  return bytes;
}

}  // namespace

Extents extents_of(std::int64_t batch, std::int64_t tokens) {
  Extents extents;
  extents.set_uniform("tokens", batch, tokens);
  extents.set("selected", batch);
  extents.set_uniform("source", batch, tokens);
  extents.set_uniform("past", batch, 0).set("positions", tokens);
  return extents;
}

MemoryPrediction predict_memory(const Graph& graph, const Weights& weights, const Backend& backend,
                                const CompileOptions& options, const Extents& extents) {
  const MemoryEstimate estimate = backend.memory(graph, weights, extents, options);
  MemoryPrediction prediction;
  prediction.device = device_name(backend.name(), options.device);
  prediction.precision = name_of(options.precision);
  prediction.batch = extents.at("batch");
  prediction.tokens = extents.at("tokens");
  prediction.weights = estimate.weights;
  prediction.mapped = estimate.mapped;
  prediction.activations = estimate.activations + feed_bytes(graph, extents);
  prediction.workspace = estimate.workspace;
  prediction.cache = estimate.cache;
  prediction.cache_per_token = estimate.cache_per_token;
  prediction.runtime = estimate.runtime;
  prediction.total =
      prediction.weights + prediction.activations + prediction.workspace + prediction.cache + prediction.runtime;
  prediction.estimated = estimate.estimated;
  prediction.flops = graph.cost().flops.evaluate(extents);
  return prediction;
}

}  // namespace accelerate::runtime
