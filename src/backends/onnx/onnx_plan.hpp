// A graph in a session of ONNX Runtime.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "backends/backend.hpp"
#include "backends/onnx/library.hpp"
#include "backends/onnx/providers.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::onnx {

// How a graph is lowered for a provider. Error{unsupported} for int8 on any but the processor.
lowering::OnnxOptions lowering_options(const Provider& provider, const Graph& graph, const CompileOptions& options);

// Errors of Backend::compile.
std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const Placement& placement, const Graph& graph,
                                std::shared_ptr<const Weights> weights, const CompileOptions& options);

}  // namespace accelerate::onnx
