// Feeds and outputs of a graph as the model that it was lowered to takes and gives them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "graph/feeds.hpp"
#include "graph/tables.hpp"
#include "lowering/host_slots.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::lowering {

// Not for two threads at once: each session has its own.
class ModelRun {
 public:
  // `graph` and `inputs`, those of the model, outlive it.
  ModelRun(const Graph& graph, const std::vector<OnnxInput>& inputs, Ragged ragged);

  // What the model is fed, in the order of its inputs; no copies where nothing needs padding. Errors of check_feeds.
  std::vector<Tensor> inputs(const Feeds& feeds);
  // Zeroed memory for what it gives: the graph's outputs in their order, then the rows added to states.
  std::vector<Tensor> outputs(const Extents& extents) const;
  // What it gave, by name and without padding. Slots take the rows that were added to their states.
  Outputs named(std::vector<Tensor> outputs, const Feeds& feeds);
  // Null for a graph that keeps no state.
  HostSlots* slots() { return slots_ ? &*slots_ : nullptr; }

 private:
  Tensor input(const OnnxInput& input, const Feeds& feeds);
  const Tensor& table(const OnnxInput& input, const Extents& extents);
  // The feeds' sizes with those of the past.
  Extents extents_of(const Feeds& feeds) const;

  const Graph& graph_;
  const std::vector<OnnxInput>& inputs_;
  Ragged ragged_;
  Extents extents_;  // of the run
  std::vector<const Node*> states_;
  std::optional<HostSlots> slots_;
  Tables tables_;
};

}  // namespace accelerate::lowering
