// ONNX Runtime's processor running models that are lowered as the backend "onnx" lowers them for other providers, or
// for none: it shows on any machine that these are right.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "backends/forwarding_backend.hpp"
#include "backends/onnx/onnx_plan.hpp"

namespace accelerate::test {

class OnnxOnProcessor final : public ForwardingBackend {
 public:
  // In f16, as for GPUs.
  static OnnxOnProcessor in_halves() {
    return {"onnx-halves", {.halves = true, .contrib = onnx::provider_named("cuda")->contrib}};
  }
  // With every operator of the runtime's own that takes any batch.
  static OnnxOnProcessor with_own_operators() {
    lowering::ContribOperators contrib = lowering::ContribOperators::all();
    contrib.group_query = false;
    return {"onnx-own", {.halves = true, .contrib = contrib}};
  }

  std::string_view name() const override { return name_; }
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    return onnx::make_plan(onnx::Library::open(), {&provider_, 0}, graph, std::move(weights), options);
  }

 private:
  OnnxOnProcessor(std::string_view name, onnx::Provider provider)
      : ForwardingBackend(borrowed(backend_named("onnx"))), name_(name), provider_(provider) {
    provider_.device = "cpu";
    provider_.name = "CPUExecutionProvider";
    provider_.description = "processor";
  }

  std::string_view name_;
  onnx::Provider provider_;
};

}  // namespace accelerate::test
