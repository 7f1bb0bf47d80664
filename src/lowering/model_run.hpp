// Feeds and outputs of a graph as the model that it was lowered to takes and gives them.
#pragma once

#include <string>
#include <vector>

#include "graph/feeds.hpp"
#include "graph/tables.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::lowering {

// Not for two threads at once: each session has its own.
class ModelRun {
 public:
  // `graph` and `inputs`, those of the model, outlive it.
  ModelRun(const Graph& graph, const std::vector<OnnxInput>& inputs, Ragged ragged)
      : graph_(graph), inputs_(inputs), ragged_(ragged) {}

  // What the model is fed, in the order of its inputs; no copies where nothing needs padding. Errors of check_feeds.
  std::vector<Tensor> inputs(const Feeds& feeds);
  // Zeroed memory for what it gives, in the order of the graph's outputs.
  std::vector<Tensor> outputs(const Extents& extents) const;
  // What it gave, by name and without padding.
  Outputs named(std::vector<Tensor> outputs, const Extents& extents) const;

 private:
  Tensor input(const OnnxInput& input, const Feeds& feeds);
  const Tensor& table(const OnnxInput& input, const Extents& extents);

  const Graph& graph_;
  const std::vector<OnnxInput>& inputs_;
  Ragged ragged_;
  Tables tables_;
};

}  // namespace accelerate::lowering
