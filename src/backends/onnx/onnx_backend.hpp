// ONNX Runtime as a backend: graphs lowered to ONNX and handed over in memory. Each of its execution providers is a
// device: "cpu", "cuda:0", ...
#pragma once

#include <memory>

#include "backends/backend.hpp"

namespace accelerate::onnx {

std::unique_ptr<Backend> make_backend();

}  // namespace accelerate::onnx
