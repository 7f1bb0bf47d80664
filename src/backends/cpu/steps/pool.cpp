#include "graph/ops/pool.hpp"

#include <algorithm>

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

class PoolStep final : public Step {
 public:
  explicit PoolStep(const Context& c) : mode_(c.as<ops::Pool>().mode), shape_(c.operand(0).type.shape) {
    for (const Value operand : c.node().operands) {
      if (operand) inputs.push_back(operand);
    }
  }

  std::size_t workspace_bytes(const Extents& extents, int) const override {
    return skips() ? static_cast<std::size_t>(shape_.rows().evaluate(extents)) : 0;
  }

  void run(const Run& run) const override {
    constexpr Pooling kKinds[] = {
        Pooling::mean, Pooling::max, Pooling::first, Pooling::last, Pooling::mean_sqrt_length, Pooling::weighted_mean};
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = offsets_of(shape_, run.extents, uniform);
    if (skips() && (mode_ == ops::PoolMode::first || mode_ == ops::PoolMode::last)) return take_one(run, offsets);
    run.kernels.pooling(run.pool, {.kind = kKinds[static_cast<std::size_t>(mode_)],
                                   .input = run.at(inputs[0]),
                                   .offsets = offsets,
                                   .row_mask = skips() ? mask(run, offsets) : nullptr,
                                   .width = run.at(inputs[0]).width,
                                   .output = run.at(outputs[0])});
  }

 private:
  bool skips() const { return inputs.size() > 1; }

  // One byte a row: 0 where the row is one of the first that its item leaves out.
  const std::uint8_t* mask(const Run& run, std::span<const std::int64_t> offsets) const {
    auto* mask = reinterpret_cast<std::uint8_t*>(run.workspace);
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      const std::int64_t skip = run.at(inputs[1]).index[item];
      for (std::int64_t row = offsets[item]; row < offsets[item + 1]; ++row) mask[row] = row - offsets[item] >= skip;
    }
    return mask;
  }

  // The first row after the skipped ones (the very first where none is left), or the last row (zeros likewise).
  void take_one(const Run& run, std::span<const std::int64_t> offsets) const {
    const Location &x = run.at(inputs[0]), &out = run.at(outputs[0]);
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      const std::int64_t length = offsets[item + 1] - offsets[item], skip = run.at(inputs[1]).index[item];
      float* to = out.data + static_cast<std::int64_t>(item) * out.stride;
      const bool left = skip < length;
      if (length == 0 || (!left && mode_ == ops::PoolMode::last)) {
        std::fill_n(to, out.width, 0.0F);
        continue;
      }
      const std::int64_t row = mode_ == ops::PoolMode::last ? length - 1 : left ? std::max<std::int64_t>(skip, 0) : 0;
      std::copy_n(x.data + (offsets[item] + row) * x.stride, out.width, to);
    }
  }

  ops::PoolMode mode_;
  Shape shape_;
};

class SelectRowsStep final : public Step {
 public:
  explicit SelectRowsStep(const Context& c) : shape_(c.operand(0).type.shape) { inputs = c.node().operands; }

  void run(const Run& run) const override {
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = offsets_of(shape_, run.extents, uniform);
    const Location &x = run.at(inputs[0]), &out = run.at(outputs[0]);
    for (std::int64_t i = 0; i < out.rows; ++i) {
      const std::int64_t item = run.at(inputs[1]).index[i], position = run.at(inputs[2]).index[i];
      const bool known = item >= 0 && item + 1 < static_cast<std::int64_t>(offsets.size());
      const auto at = static_cast<std::size_t>(known ? item : 0);
      if (!known || position < 0 || position >= offsets[at + 1] - offsets[at]) {
        throw Error(ErrorKind::invalid_input,
                    "no token " + std::to_string(position) + " in item " + std::to_string(item) + " of the batch",
                    path);
      }
      std::copy_n(x.data + (offsets[at] + position) * x.stride, x.width, out.data + i * out.stride);
    }
  }

 private:
  Shape shape_;
};

}  // namespace

std::unique_ptr<Step> make_pool(const Context& c) { return std::make_unique<PoolStep>(c); }

std::unique_ptr<Step> make_select_rows(const Context& c) { return std::make_unique<SelectRowsStep>(c); }

}  // namespace accelerate::cpu
