// Sessions of runtimes that run a graph as the model it was lowered to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "lowering/model_run.hpp"

namespace accelerate {

// Feeds in, outputs out; between them a runtime computes tensors from tensors.
class LoweredSession : public Session {
 public:
  // `graph` and `inputs`, those of the model, outlive it.
  LoweredSession(const Graph& graph, const std::vector<lowering::OnnxInput>& inputs, lowering::Ragged ragged)
      : run_(graph, inputs, ragged) {}

  Outputs run(const Feeds& feeds) final {
    feeds.cancellation.check();
    const std::vector<Tensor> inputs = run_.inputs(feeds);
    std::vector<Tensor> outputs = run_.outputs(feeds.extents);
    call(inputs, outputs);
    feeds.cancellation.check();
    return run_.named(std::move(outputs), feeds);
  }
  StateSlots* slots() final { return run_.slots(); }

 private:
  // Fills the outputs, in the order of the model's; inputs are in that of the model's.
  virtual void call(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) = 0;

  lowering::ModelRun run_;
};

// A plan whose sessions share what was compiled, and keep it.
template <typename SessionType, typename Compiled>
class SharedPlan final : public Plan {
 public:
  explicit SharedPlan(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::unique_ptr<Session> start() const override { return std::make_unique<SessionType>(compiled_); }

 private:
  std::shared_ptr<const Compiled> compiled_;
};

}  // namespace accelerate
