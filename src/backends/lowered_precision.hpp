// Precisions of graphs that are lowered to ONNX.
#pragma once

#include <set>
#include <string>

#include "backends/precision.hpp"
#include "graph/graph.hpp"

namespace accelerate {

// Paths of the products whose weights are to be 8 bits: OnnxOptions::int8.
std::set<std::string> products_in_int8(const Graph& graph, const Precisions& precisions);

}  // namespace accelerate
