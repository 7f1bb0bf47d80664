#include "graph/ops/pool.hpp"

#include <algorithm>

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

class PoolStep final : public Step {
 public:
  explicit PoolStep(const Context& c)
      : mode_(c.as<ops::Pool>().mode), rows_(c.operand(0).type.shape.rows()), items_(c.operand(0).type.shape) {
    for (const Value operand : c.node().operands) {
      if (operand) inputs.push_back(operand);
    }
  }

  std::size_t workspace_bytes(const Extents& extents, int) const override {
    return skips() ? static_cast<std::size_t>(rows_.evaluate(extents)) : 0;
  }

  void run(const Run& run) const override {
    constexpr Pooling kKinds[] = {
        Pooling::mean,          Pooling::max,  Pooling::first, Pooling::last, Pooling::mean_sqrt_length,
        Pooling::weighted_mean, Pooling::first};
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = items_.offsets(run.extents, uniform);
    const bool all = !skips() && seen(run).empty();
    if (!all && (mode_ == ops::PoolMode::first || mode_ == ops::PoolMode::last)) return take_one(run, offsets);
    if (!seen(run).empty() && mode_ == ops::PoolMode::weighted_mean) return weigh(run, offsets);
    run.kernels.pooling(run.pool, {.kind = kKinds[static_cast<std::size_t>(mode_)],
                                   .input = run.at(inputs[0]),
                                   .offsets = offsets,
                                   .row_mask = row_mask(run, offsets),
                                   .width = run.at(inputs[0]).width,
                                   .output = run.at(outputs[0])});
  }

 private:
  bool skips() const { return inputs.size() > 1; }
  std::int64_t skip(const Run& run, std::size_t item) const {
    return skips() ? std::max<std::int64_t>(run.at(inputs[1]).index[item], 0) : 0;
  }
  std::span<const std::uint8_t> seen(const Run& run) const { return items_.seen(run.extents); }

  // One byte a row: 0 where the row is not seen, or one of the first that its item leaves out. Null: all are taken.
  const std::uint8_t* row_mask(const Run& run, std::span<const std::int64_t> offsets) const {
    const std::span<const std::uint8_t> rows = seen(run);
    if (!skips()) return rows.empty() ? nullptr : rows.data();
    auto* mask = reinterpret_cast<std::uint8_t*>(run.workspace);
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      for (std::int64_t row = offsets[item]; row < offsets[item + 1]; ++row) {
        const bool is_seen = rows.empty() || rows[static_cast<std::size_t>(row)] != 0;
        mask[row] = is_seen && row - offsets[item] >= skip(run, item) ? 1 : 0;
      }
    }
    return mask;
  }

  // The first row that is seen after the skipped ones (the very first where none is left), or the last one that is seen
  // (zeros likewise).
  void take_one(const Run& run, std::span<const std::int64_t> offsets) const {
    const Location &x = run.at(inputs[0]), &out = run.at(outputs[0]);
    const std::uint8_t* mask = row_mask(run, offsets);
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      const std::uint8_t *begin = mask + offsets[item], *end = mask + offsets[item + 1];
      const std::uint8_t* taken = std::find(begin, end, 1);
      if (mode_ == ops::PoolMode::last) {
        while (taken != end && end[-1] == 0) --end;
        if (taken != end) taken = end - 1;
      }
      float* to = out.data + static_cast<std::int64_t>(item) * out.stride;
      const bool none = taken == mask + offsets[item + 1];
      if (begin == mask + offsets[item + 1] || (none && mode_ == ops::PoolMode::last)) {
        std::fill_n(to, out.width, 0.0F);
      } else {
        std::copy_n(x.data + (none ? offsets[item] : taken - mask) * x.stride, out.width, to);
      }
    }
  }

  // weighted_mean counts from the first row that is seen, which the kernel does not know: plainly, as it is rare.
  void weigh(const Run& run, std::span<const std::int64_t> offsets) const {
    const Location &x = run.at(inputs[0]), &out = run.at(outputs[0]);
    const std::span<const std::uint8_t> rows = seen(run);
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      float* to = out.data + static_cast<std::int64_t>(item) * out.stride;
      std::fill_n(to, out.width, 0.0F);
      std::int64_t first = offsets[item];
      while (first < offsets[item + 1] && rows[static_cast<std::size_t>(first)] == 0) ++first;
      float weights = 0;
      for (std::int64_t row = first; row < offsets[item + 1]; ++row) {
        if (rows[static_cast<std::size_t>(row)] == 0 || row - offsets[item] < skip(run, item)) continue;
        const auto weight = static_cast<float>(row - first + 1);
        weights += weight;
        for (std::int64_t i = 0; i < out.width; ++i) to[i] += weight * x.data[row * x.stride + i];
      }
      for (std::int64_t i = 0; i < out.width && weights > 0; ++i) to[i] /= weights;
    }
  }

  ops::PoolMode mode_;
  Dim rows_;
  ItemRows items_;
};

class SelectRowsStep final : public Step {
 public:
  explicit SelectRowsStep(const Context& c) : items_(c.operand(0).type.shape) { inputs = c.node().operands; }

  void run(const Run& run) const override {
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = items_.offsets(run.extents, uniform);
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
  ItemRows items_;
};

}  // namespace

std::unique_ptr<Step> make_pool(const Context& c) { return std::make_unique<PoolStep>(c); }

std::unique_ptr<Step> make_select_rows(const Context& c) { return std::make_unique<SelectRowsStep>(c); }

}  // namespace accelerate::cpu
