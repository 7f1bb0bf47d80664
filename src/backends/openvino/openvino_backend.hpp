// OpenVINO as a backend: graphs lowered to ONNX and handed over in memory. Its devices are ours: "cpu", "gpu:0", "npu",
// and "auto", whichever it takes for the best.
#pragma once

#include <memory>

#include "backends/backend.hpp"

namespace accelerate::openvino {

std::unique_ptr<Backend> make_backend();

}  // namespace accelerate::openvino
