// A graph cut into parts that run one after the other, so that each may run somewhere else.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace accelerate {

// A graph by itself. Values that cross from part to part, and the outputs of the whole, are outputs of the part that
// computes them and inputs of those that read them, under the name crossing_name() gives; ragged ones cross as rows.
// Inputs, weights and tables are in every part that reads them.
struct GraphPart {
  Graph graph;
  bool apart = false;              // its operations are those that had to be apart
  std::vector<std::size_t> nodes;  // of the whole graph, for each node of this one
};

// "%12": a value of the whole graph, between its parts.
std::string crossing_name(Value value);

// The fewest parts that hold only operations for which `apart` holds, or only others, in an order in which they can
// run. One part, where all are alike.
std::vector<GraphPart> partition(const Graph& graph, const std::function<bool(const Node&)>& apart);

// The operations that are apart, or the others, as one part. It cannot run where the two take turns; what it takes can
// be counted all the same.
GraphPart side_of(const Graph& graph, const std::function<bool(const Node&)>& apart, bool which);

}  // namespace accelerate
