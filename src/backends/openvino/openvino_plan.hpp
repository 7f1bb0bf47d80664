// A graph in a compiled model of OpenVINO.
#pragma once

#include <memory>
#include <string>

#include "backends/backend.hpp"
#include "backends/openvino/library.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::openvino {

// How a graph is lowered.
lowering::OnnxOptions lowering_options();

// `device` as OpenVINO calls it. Errors of Backend::compile.
std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const std::string& device, const Graph& graph,
                                const std::shared_ptr<const Weights>& weights, const CompileOptions& options);

}  // namespace accelerate::openvino
