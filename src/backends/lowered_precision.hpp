// Precisions of graphs that are lowered to ONNX.
#pragma once

#include <set>
#include <string>

#include "backends/backend.hpp"
#include "graph/graph.hpp"

namespace accelerate {

// Runtimes keep keys and values as the model has them. Error{unsupported} where something narrower is asked for.
void require_state(const Graph& graph, const CompileOptions& options, const std::string& where);

// Paths of the products whose weights are to be 8 bits: OnnxOptions::int8.
std::set<std::string> products_in_int8(const Graph& graph, const Precisions& precisions);

}  // namespace accelerate
