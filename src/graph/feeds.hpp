// What goes into one run of a graph and what comes out.
#pragma once

#include <map>
#include <string>

#include "accelerate/progress.hpp"
#include "accelerate/tensor.hpp"
#include "graph/graph.hpp"

namespace accelerate {

// Tensors of the graph's inputs, ragged ones as rows without padding ([tokens.rows]); reals as f32, indices as i64.
struct Feeds {
  std::map<std::string, Tensor, std::less<>> tensors;
  Extents extents;
  Cancellation cancellation;  // looked at between operations: Error{interrupted}
};

// Outputs by name; a ragged one as rows without padding.
using Outputs = std::map<std::string, Tensor, std::less<>>;

// Error{invalid_input} naming an input of the graph that is missing or has another type or shape.
void check_feeds(const Graph& graph, const Feeds& feeds);

}  // namespace accelerate
