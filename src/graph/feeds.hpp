// What goes into one run of a graph and what comes out.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include "accelerate/progress.hpp"
#include "accelerate/tensor.hpp"
#include "graph/graph.hpp"
#include "graph/state.hpp"

namespace accelerate {

// When the steps of a run began, and last when it ended: [steps + 1], in the order of Plan::steps(). A run appends.
using StepTimes = std::vector<std::chrono::steady_clock::time_point>;

struct PoolWork;  // core/thread_pool.hpp

// Tensors of the graph's inputs, ragged ones as rows without padding ([tokens.rows]); reals as f32, indices as i64.
struct Feeds {
  std::map<std::string, Tensor, std::less<>> tensors;
  Extents extents;
  std::vector<Slot> slots;          // of a graph that keeps state: the sequence of each item, whose tokens come next
  Cancellation cancellation;        // looked at between operations: Error{interrupted}
  StepTimes* step_times = nullptr;  // filled where it is given: what a profile is made from
  PoolWork* pool_work = nullptr;    // the same for the threads, by backends that run on a ThreadPool
};

// Outputs by name; a ragged one as rows without padding.
using Outputs = std::map<std::string, Tensor, std::less<>>;

// How many positions the longest sequence of a run over slots has then, its past included. Error{invalid_input} unless
// there is a slot for each item.
std::int64_t longest_with_past(const Feeds& feeds, const StateSlots& slots);
// The sizes of a run over slots: those of the feeds, and past and (unless the feeds say it) positions from what the
// slots hold. The same errors.
Extents with_past(const Feeds& feeds, const StateSlots& slots);

// Error{invalid_input} naming an input of the graph that is missing or has another type or shape.
void check_feeds(const Graph& graph, const Feeds& feeds);

}  // namespace accelerate
