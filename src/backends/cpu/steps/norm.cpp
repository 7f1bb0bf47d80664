#include "graph/ops/norm.hpp"

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

class NormStep final : public Step {
 public:
  NormStep(const Context& c, VectorWeight bias, double epsilon, bool rms)
      : weight_(c.vector(1)), bias_(std::move(bias)), epsilon_(static_cast<float>(epsilon)), rms_(rms) {
    inputs = {c.node().operands[0]};
    in_place = inputs[0];
  }

  WeightBytes weight_bytes(std::set<std::string>&) const override {
    WeightBytes sum = weight_.bytes();
    sum += bias_.bytes();
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool&) override {
    weight_.prepare(weights);
    bias_.prepare(weights);
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    if (rms_) {
      run.kernels.rms_norm(run.pool, {.input = run.at(inputs[0]),
                                      .output = out,
                                      .rows = out.rows,
                                      .width = out.width,
                                      .weight = weight_.data(),
                                      .epsilon = epsilon_});
      return;
    }
    run.kernels.layer_norm(run.pool, {.input = run.at(inputs[0]),
                                      .output = out,
                                      .rows = out.rows,
                                      .width = out.width,
                                      .weight = weight_.data(),
                                      .bias = bias_.data(),
                                      .epsilon = epsilon_});
  }

 private:
  VectorWeight weight_, bias_;
  float epsilon_;
  bool rms_;
};

}  // namespace

std::unique_ptr<Step> make_layer_norm(const Context& c) {
  // Fused with the lookup whose sum it normalises.
  if (c.group.size() > 1) return make_embedding(c);
  return std::make_unique<NormStep>(c, c.vector(2), c.as<ops::LayerNorm>().epsilon, false);
}

std::unique_ptr<Step> make_rms_norm(const Context& c) {
  return std::make_unique<NormStep>(c, VectorWeight(), c.as<ops::RmsNorm>().epsilon, true);
}

}  // namespace accelerate::cpu
