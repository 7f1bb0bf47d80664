// Feeds and outputs of a graph as the model that it was lowered to takes and gives them.
#pragma once

#include <memory>
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

  // What a runtime holds of the past that these feeds follow; null: nothing. Errors of check_feeds.
  std::shared_ptr<const KeptPast> past(const Feeds& feeds) const;
  // What the model is fed, in the order of its inputs; no copies where nothing needs padding. Those of states are empty
  // where their past is held.
  std::vector<Tensor> inputs(const Feeds& feeds, bool past_is_held = false);
  // Whether the past with the rows of that run behind it is the past of a next one: nothing in it is padding.
  bool has_next() const;
  // Zeroed memory for what it gives: the graph's outputs in their order, then the rows added to states.
  std::vector<Tensor> outputs(const Extents& extents) const;
  // What it gave, by name and without padding. Slots take the rows that were added to their states, and what the
  // runtime then holds of them.
  Outputs named(std::vector<Tensor> outputs, const Feeds& feeds, std::shared_ptr<const KeptPast> present = nullptr);
  // Null for a graph that keeps no state.
  HostSlots* slots() { return slots_ ? &*slots_ : nullptr; }

 private:
  Tensor input(const OnnxInput& input, const Feeds& feeds);
  Tensor state(const OnnxInput& input, const Feeds& feeds) const;
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
