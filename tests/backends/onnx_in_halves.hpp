// ONNX Runtime's processor computing in f16, which the backend "onnx" offers on GPUs only: it shows on any machine that
// the models lowered for them are right.
#pragma once

#include <memory>
#include <utility>

#include "backends/forwarding_backend.hpp"
#include "backends/onnx/onnx_plan.hpp"

namespace accelerate::test {

class OnnxInHalves final : public ForwardingBackend {
 public:
  static constexpr std::string_view kName = "onnx-halves";

  OnnxInHalves() : ForwardingBackend(borrowed(backend_named("onnx"))) {}

  std::string_view name() const override { return kName; }
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    static constexpr onnx::Provider kProcessor{
        .device = "cpu", .name = "CPUExecutionProvider", .halves = true, .contrib = true, .description = "processor"};
    return onnx::make_plan(onnx::Library::open(), {&kProcessor, 0}, graph, std::move(weights), options);
  }
};

}  // namespace accelerate::test
