#include "backends/limited_backend.hpp"

#include "backends/place.hpp"

namespace accelerate {

Support LimitedBackend::supports(const Graph& graph, const Device& device) const {
  Support support = inner().supports(graph, device);
  std::erase_if(support.missing, [this](const Support::Missing& each) { return without_.contains(each.operation); });
  for (const std::string& operation : without_) {
    if (graph.has_operation(operation)) support.missing.push_back({operation, "disabled"});
  }
  return support;
}

std::unique_ptr<Plan> LimitedBackend::compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                              const CompileOptions& options) const {
  const std::string device = device_name(name(), options.device);
  require(supports(graph, {device, {}}), device);
  return ForwardingBackend::compile(graph, std::move(weights), options);
}

}  // namespace accelerate
