// A backend as if it lacked some of its operations: shows what happens then, to tests and to whoever looks for the
// operation at fault.
#pragma once

#include <set>
#include <string>

#include "backends/forwarding_backend.hpp"

namespace accelerate {

class LimitedBackend final : public ForwardingBackend {
 public:
  LimitedBackend(std::shared_ptr<const Backend> inner, std::set<std::string, std::less<>> without)
      : ForwardingBackend(std::move(inner)), without_(std::move(without)) {}

  Support supports(const Graph& graph, const Device& device) const override;
  // Error{unsupported} where the graph has one of these operations.
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override;

 private:
  std::set<std::string, std::less<>> without_;
};

}  // namespace accelerate
