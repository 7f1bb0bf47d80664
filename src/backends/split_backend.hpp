// A backend whose missing operations another one computes: graphs run in parts, now here, now there.
//
// Values that cross lie in host memory. What a device that lacks one operation in every layer gains is for measurements
// to say.
#pragma once

#include "backends/forwarding_backend.hpp"

namespace accelerate {

class SplitBackend final : public ForwardingBackend {
 public:
  // `other` computes what `inner` lacks, on its first device; where it does not know a precision, in f32.
  SplitBackend(std::shared_ptr<const Backend> inner, std::shared_ptr<const Backend> other)
      : ForwardingBackend(std::move(inner)), other_(std::move(other)) {}

  // What neither can.
  Support supports(const Graph& graph, const Device& device) const override;
  // Each part keeps its own activations and workspace; values between parts count as long as they are needed. A first
  // run takes less, as later parts have not begun.
  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override;
  // A graph that the inner backend can run alone is one plan of it.
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override;
  // Names of the operations that the other one computes.
  std::vector<std::string> moved(const Graph& graph, const Device& device) const;

 private:
  std::function<bool(const Node&)> belongs_apart(const Graph& graph, const CompileOptions& options) const;
  CompileOptions other_options(const CompileOptions& options) const;

  std::shared_ptr<const Backend> other_;
};

}  // namespace accelerate
