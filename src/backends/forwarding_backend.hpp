// What backends that stand before another one begin from: everything is the other's.
#pragma once

#include <memory>
#include <utility>

#include "backends/backend.hpp"

namespace accelerate {

class ForwardingBackend : public Backend {
 public:
  explicit ForwardingBackend(std::shared_ptr<const Backend> inner) : inner_(std::move(inner)) {}

  std::string_view name() const override { return inner_->name(); }
  std::vector<Device> devices() const override { return inner_->devices(); }
  bool knows(std::string_view device) const override { return inner_->knows(device); }
  std::vector<std::string> files() const override { return inner_->files(); }
  std::string_view level() const override { return inner_->level(); }
  std::vector<Precision> precisions(std::string_view device) const override { return inner_->precisions(device); }
  RunCost run_cost(std::string_view device) const override { return inner_->run_cost(device); }
  std::vector<std::string> lowered(const Graph& graph, std::string_view device) const override {
    return inner_->lowered(graph, device);
  }
  Support supports(const Graph& graph, const Device& device) const override { return inner_->supports(graph, device); }
  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override {
    return inner_->memory(graph, weights, extents, options);
  }
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    return inner_->compile(graph, std::move(weights), options);
  }

 protected:
  const Backend& inner() const { return *inner_; }

 private:
  std::shared_ptr<const Backend> inner_;
};

// A backend that somebody else keeps.
inline std::shared_ptr<const Backend> borrowed(const Backend& backend) {
  return {std::shared_ptr<const void>(), &backend};
}

}  // namespace accelerate
