#include "graph/ops/norm.hpp"

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

class NormStep final : public Step {
 public:
  NormStep(const Context& c, const ops::LayerNorm& norm)
      : weight_(c.vector(1)), bias_(c.vector(2)), epsilon_(static_cast<float>(norm.epsilon)) {
    inputs = {c.node().operands[0]};
    in_place = inputs[0];
    by_rows = true;
  }
  NormStep(const Context& c, const ops::RmsNorm& norm)
      : weight_(c.vector(1)),
        epsilon_(static_cast<float>(norm.epsilon)),
        offset_(static_cast<float>(norm.offset)),
        groups_(norm.groups),
        rms_(true) {
    inputs = {c.node().operands[0]};
    in_place = inputs[0];
    by_rows = true;
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
                                      .width = out.width / groups_,
                                      .groups = groups_,
                                      .weight = weight_.data(),
                                      .weight_offset = offset_,
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
  float epsilon_, offset_ = 0;
  std::int64_t groups_ = 1;
  bool rms_ = false;
};

}  // namespace

std::unique_ptr<Step> make_layer_norm(const Context& c) {
  // Fused with the lookup whose sum it normalises.
  if (c.group.size() > 1) return make_embedding(c);
  return std::make_unique<NormStep>(c, c.as<ops::LayerNorm>());
}

std::unique_ptr<Step> make_rms_norm(const Context& c) { return std::make_unique<NormStep>(c, c.as<ops::RmsNorm>()); }

}  // namespace accelerate::cpu
