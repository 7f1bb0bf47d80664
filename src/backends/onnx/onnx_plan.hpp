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

// What a provider multiplies in, as a rule the fastest first.
std::vector<Precision> precisions_of(const Provider& provider);
bool is_processor(const Provider& provider);
// Error{unsupported} for a precision that it has not, and for layers in another one beside f16, which is all or
// nothing.
void require_precisions(const Provider& provider, const CompileOptions& options);

// How a graph is lowered for a provider. Errors of require_precisions.
lowering::OnnxOptions lowering_options(const Provider& provider, const Graph& graph, const CompileOptions& options);

// Errors of Backend::compile.
std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const Placement& placement, const Graph& graph,
                                std::shared_ptr<const Weights> weights, const CompileOptions& options);

}  // namespace accelerate::onnx
