#include "backends/cpu/steps/norm.hpp"

#include "graph/ops/norm.hpp"

namespace accelerate::cpu {
namespace {

class NormStep final : public Step {
 public:
  NormStep(const Context& c, std::int64_t groups) : norm_(c, c.node()), groups_(groups) {
    inputs = {c.node().operands[0]};
    in_place = inputs[0];
    by_rows = true;
  }

  WeightBytes weight_bytes(std::set<std::string>&) const override { return norm_.bytes(); }
  void prepare(const Weights& weights, ThreadPool&) override { norm_.prepare(weights); }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    run.kernels.norm(run.pool, {.norm = norm_.norm(),
                                .input = run.at(inputs[0]),
                                .output = out,
                                .rows = out.rows,
                                .width = out.width / groups_,
                                .groups = groups_});
  }

 private:
  NormWeights norm_;
  std::int64_t groups_;
};

}  // namespace

NormWeights::NormWeights(const Context& c, const Node& node) : weight_(c.vector(node, 1)) {
  if (node.operation->name() == "rms_norm") {
    const auto& rms = static_cast<const ops::RmsNorm&>(*node.operation);
    norm_.kind = Norm::Kind::rms;
    norm_.epsilon = static_cast<float>(rms.epsilon);
    norm_.weight_offset = static_cast<float>(rms.offset);
    return;
  }
  norm_.kind = Norm::Kind::layer;
  norm_.epsilon = static_cast<float>(static_cast<const ops::LayerNorm&>(*node.operation).epsilon);
  bias_ = c.vector(node, 2);
}

WeightBytes NormWeights::bytes() const {
  WeightBytes sum = weight_.bytes();
  sum += bias_.bytes();
  return sum;
}

void NormWeights::prepare(const Weights& weights) {
  weight_.prepare(weights);
  bias_.prepare(weights);
}

Norm NormWeights::norm() const {
  Norm norm = norm_;
  norm.weight = weight_.data();
  norm.bias = bias_.data();
  return norm;
}

std::unique_ptr<Step> make_layer_norm(const Context& c) {
  // Fused with the lookup whose sum it normalises.
  if (c.group.size() > 1) return make_embedding(c);
  return std::make_unique<NormStep>(c, 1);
}

std::unique_ptr<Step> make_rms_norm(const Context& c) {
  return std::make_unique<NormStep>(c, c.as<ops::RmsNorm>().groups);
}

}  // namespace accelerate::cpu
