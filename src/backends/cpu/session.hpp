// A plan of the native backend in use.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/cpu/arena.hpp"
#include "backends/cpu/step.hpp"

namespace accelerate::cpu {

// Everything that is decided when a graph is compiled; sessions share it.
struct Compiled {
  Graph graph;
  std::shared_ptr<const Weights> weights;
  std::shared_ptr<ThreadPool> pool;
  Level level = Level::portable;
  std::vector<std::unique_ptr<Step>> steps;
  std::unique_ptr<Placement> placement;
  std::vector<Stretch> stretches;
  std::vector<std::span<const std::byte>> reads_next;  // of each step, the weights of the next product
  bool keeps_outputs = true;                           // CompileOptions
  std::string symbol;                                  // ragged_symbol_of(graph)
  CacheLayout cache;                                   // empty: the graph keeps no state
};

std::unique_ptr<Session> make_session(std::shared_ptr<const Compiled> compiled);

// Bytes that a session of these steps holds for one run: arenas, and scratch memory of the kernels.
struct SessionBytes {
  std::int64_t arenas = 0, workspaces = 0;
};
SessionBytes session_bytes(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps, const Extents& extents,
                           int threads);

}  // namespace accelerate::cpu
