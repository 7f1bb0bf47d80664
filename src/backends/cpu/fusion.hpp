// Which nodes of a graph run as one kernel.
#pragma once

#include <optional>
#include <vector>

#include "graph/graph.hpp"

namespace accelerate::cpu {

struct Fusion {
  // For each node: those that run with it, itself first; empty for a node that runs inside another's step.
  std::vector<std::vector<std::size_t>> groups;
  // For each node: the norm that makes its input and runs with it.
  std::vector<std::optional<std::size_t>> norms;
};

// Joins linear layers over the same input (query, key and value become one product), a layer norm over an embedding
// that nobody else reads, and a norm with the product that alone reads it.
Fusion find_fusions(const Graph& graph);

// How often each value is read, outputs of the graph included.
std::vector<int> use_counts(const Graph& graph);

}  // namespace accelerate::cpu
