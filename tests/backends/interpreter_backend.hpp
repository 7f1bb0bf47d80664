// A whole backend on a page: every graph by the f64 interpreter. docs/adding-a-backend.md walks through it.
#pragma once

#include <memory>
#include <utility>

#include "backends/backend.hpp"
#include "graph/interpreter.hpp"
#include "graph/primitives.hpp"

namespace accelerate {

class InterpreterSession final : public Session {
 public:
  InterpreterSession(const Graph& graph, std::shared_ptr<const Weights> weights)
      : graph_(graph), weights_(std::move(weights)) {}

  Outputs run(const Feeds& feeds) override {
    check_feeds(graph_, feeds);
    feeds.cancellation.check();
    Outputs outputs = interpret(graph_, *weights_, feeds);
    for (auto& [name, tensor] : outputs) tensor = tensor.to(DType::f32);
    return outputs;
  }

 private:
  Graph graph_;  // its own: sessions may outlive their plan
  std::shared_ptr<const Weights> weights_;
};

class InterpreterPlan final : public Plan {
 public:
  InterpreterPlan(Graph graph, std::shared_ptr<const Weights> weights)
      : graph_(std::move(graph)), weights_(std::move(weights)) {}
  std::unique_ptr<Session> start() const override { return std::make_unique<InterpreterSession>(graph_, weights_); }

 private:
  Graph graph_;
  std::shared_ptr<const Weights> weights_;
};

class InterpreterBackend final : public Backend {
 public:
  std::string_view name() const override { return "interpreter"; }
  std::vector<Device> devices() const override { return {{"interpreter", "f64, one thread"}}; }

  // Every operation says itself in primitives.
  Support supports(const Graph&, const Device&) const override { return {}; }

  // It holds every value of every primitive, weights too.
  MemoryEstimate memory(const Graph& graph, const Weights&, const Extents& extents,
                        const CompileOptions&) const override {
    const Graph primitives = decompose(graph);
    MemoryEstimate estimate;
    for (const Node& node : primitives.nodes()) {
      estimate.activations += 8 * node.type.shape.elements().evaluate(extents);
    }
    return estimate;
  }

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    if (options.precision != Precision::f32) {
      throw Error(ErrorKind::unsupported,
                  "precision " + std::string(name_of(options.precision)) + " is not there, only f32",
                  "backend interpreter");
    }
    return std::make_unique<InterpreterPlan>(graph, std::move(weights));
  }
};

}  // namespace accelerate
