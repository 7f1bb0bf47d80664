#include "graph/ops/rotary.hpp"

#include <cmath>

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

// Made once a run for all layers; few enough that the standard library's functions do.
class RotaryFactorStep final : public Step {
 public:
  explicit RotaryFactorStep(const Context& c)
      : wave_(c.as<ops::RotaryFactor>().wave == ops::RotaryFactor::Wave::cos ? static_cast<Function*>(std::cos)
                                                                             : static_cast<Function*>(std::sin)) {
    inputs = c.node().operands;
  }

  void run(const Run& run) const override {
    const Location &positions = run.at(inputs[0]), &table = run.at(inputs[1]), &out = run.at(outputs[0]);
    const float *frequencies = table.data, *magnitudes = table.data + table.stride;
    constexpr std::int64_t kRows = 32;  // of a task
    run.pool.parallel_for((out.rows + kRows - 1) / kRows, [&](std::int64_t task, int) {
      for (std::int64_t row = task * kRows; row < std::min(out.rows, (task + 1) * kRows); ++row) {
        const auto position = static_cast<float>(positions.index[row]);
        float* to = out.data + row * out.stride;
        for (std::int64_t i = 0; i < out.width; ++i) to[i] = wave_(position * frequencies[i]) * magnitudes[i];
      }
    });
  }

 private:
  using Function = float(float);
  Function* wave_;
};

}  // namespace

std::unique_ptr<Step> make_rotary_factor(const Context& c) { return std::make_unique<RotaryFactorStep>(c); }

}  // namespace accelerate::cpu
