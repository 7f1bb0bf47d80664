// Sessions of runtimes that run a graph as the model it was lowered to.
#pragma once

#include <memory>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "lowering/model_run.hpp"

namespace accelerate {

// Attention and its memory are padded. On a processor sorted texts take equally long with anything from 16 to 128 (more
// runs are more shapes, which runtimes remember); on a GPU a run launches every operation (H100, sizes of bert-base:
// 3 ms, or 550 tokens in f32 and 1500 in f16).
constexpr RunCost lowered_run_cost(bool on_processor) { return {.padded = true, .tokens = on_processor ? 64 : 1024}; }

// What a runtime is to compute: tensors from tensors.
struct LoweredCall {
  std::vector<Tensor> inputs;   // in the order of the model's; those of states are empty where `past` has them
  std::vector<Tensor> outputs;  // to be filled, in the order of the model's, but without what states then hold
  std::shared_ptr<const lowering::KeptPast> past = nullptr;
  bool has_next = false;                                        // whether what states then hold may be kept
  std::shared_ptr<const lowering::KeptPast> present = nullptr;  // what was kept; null: the next run brings its past
};

// Feeds in, outputs out.
class LoweredSession : public Session {
 public:
  // `graph` and `inputs`, those of the model, outlive it.
  LoweredSession(const Graph& graph, const std::vector<lowering::OnnxInput>& inputs, lowering::Ragged ragged)
      : run_(graph, inputs, ragged) {
    if (run_.slots() != nullptr) run_.slots()->on_trim([this] { trim(); });
  }

  LoweredSession(const LoweredSession&) = delete;  // its slots call back
  LoweredSession& operator=(const LoweredSession&) = delete;

  Outputs run(const Feeds& feeds) final {
    feeds.cancellation.check();
    LoweredCall made{.past = run_.past(feeds)};
    made.inputs = run_.inputs(feeds, made.past != nullptr);
    made.outputs = run_.outputs(feeds.extents);
    made.has_next = run_.has_next();
    call(made);
    feeds.cancellation.check();
    return run_.named(std::move(made.outputs), feeds, std::move(made.present));
  }
  StateSlots* slots() final { return run_.slots(); }

 private:
  virtual void call(LoweredCall& made) = 0;
  // Gives back memory that no past lies in and that the next run would use again.
  virtual void trim() {}

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
