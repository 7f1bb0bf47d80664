#include "graph/ops/experts.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

// Rows are gathered by the experts that they chose, so that each expert multiplies its own and no others.
class ExpertsStep final : public Step {
 public:
  explicit ExpertsStep(const Context& c)
      : chosen_(c.as<ops::Experts>().chosen),
        activation_(activation_of(c.as<ops::Experts>().activation)),
        level_(c.level),
        rows_(row_count(c.node().type.shape)) {
    const Precision precision = c.precision();
    for (std::size_t i = ops::Experts::kFirst; i < c.node().operands.size(); i += ops::Experts::kMatrices) {
      Expert expert{MatrixWeight(c.weights, {c.weight_name(i), c.weight_name(i + 1)}, c.level,
                                 {.precision = precision, .gated = true, .input = input_norm(c.graph, c.node())}),
                    MatrixWeight(c.weights, {c.weight_name(i + 2)}, c.level, {.precision = precision})};
      experts_.push_back(std::move(expert));
    }
    inputs = {c.node().operands[0], c.node().operands[1]};
    width_ = c.node().type.shape.last().number();
    inner_ = experts_[0].down.in_features();
  }

  WeightBytes weight_bytes(std::set<std::string>& counted) const override {
    WeightBytes sum;
    for (const Expert& expert : experts_) {
      for (const MatrixWeight* matrix : {&expert.gate_up, &expert.down}) {
        if (counted.insert(matrix->key()).second) sum += matrix->bytes();
      }
    }
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool& pool) override {
    for (Expert& expert : experts_) {
      expert.gate_up.prepare(weights, pool);
      expert.down.prepare(weights, pool);
    }
  }

  // One expert may be chosen by every row.
  std::size_t workspace_bytes(const Extents& extents, int) const override {
    return Buffers(*this, rows_.evaluate(extents)).end;
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    for (std::int64_t row = 0; row < out.rows; ++row) std::fill_n(out.data + row * out.stride, out.width, 0.0F);
    const Buffers at(*this, out.rows);
    const auto rows_at = [&](std::size_t offset, std::int64_t width) {
      return Rows{reinterpret_cast<float*>(run.workspace + offset), row_stride(width)};
    };
    const Rows x = rows_at(at.x, width_), hidden = rows_at(at.hidden, inner_), given = rows_at(at.given, width_);
    auto* choices = reinterpret_cast<Choice*>(run.workspace + at.choices);
    choose(run.at(inputs[1]), out.rows, choices);
    for (std::size_t expert = 0; expert < experts_.size(); ++expert) {
      const std::span<const Choice> own = choices_of(choices, out.rows, static_cast<std::int64_t>(expert));
      if (own.empty()) continue;
      const auto count = static_cast<std::int64_t>(own.size());
      gather(run.at(inputs[0]), own, x);
      std::byte* scratch = run.workspace + at.scratch;
      run.kernels.linear(run.pool, count, x, experts_[expert].gate_up.packed(), {.activation = activation_}, hidden,
                         scratch);
      run.kernels.linear(run.pool, count, hidden, experts_[expert].down.packed(), {}, given, scratch);
      add(own, given, out);
    }
  }

 private:
  struct Expert {
    MatrixWeight gate_up, down;
  };
  struct Choice {
    std::int64_t expert, row;
    float share;
  };

  // Where parts of the workspace begin.
  struct Buffers {
    std::size_t x, hidden, given, choices, scratch, end;
    Buffers(const ExpertsStep& step, std::int64_t rows) {
      std::size_t next = 0;
      const auto take = [&](std::size_t bytes) { return std::exchange(next, next + (bytes + 63) / 64 * 64); };
      const auto floats = [&](std::int64_t width) {
        return static_cast<std::size_t>(rows * row_stride(width)) * sizeof(float);
      };
      x = take(floats(step.width_));
      hidden = take(floats(step.inner_));
      given = take(floats(step.width_));
      choices = take(static_cast<std::size_t>(rows * step.chosen_) * sizeof(Choice));
      scratch = take(step.scratch_bytes(rows));
      end = next;
    }
  };

  std::size_t scratch_bytes(std::int64_t rows) const {
    std::size_t most = 0;
    for (const Expert& expert : experts_) {  // which need not be stored alike
      for (const MatrixWeight* matrix : {&expert.gate_up, &expert.down}) {
        most = std::max(most, kernels(level_).linear_scratch_bytes(rows, matrix->in_features(), matrix->packing(),
                                                                   matrix->input_sets()));
      }
    }
    return most;
  }

  // The choices of all rows, sorted by expert, rows in order.
  void choose(const Location& scores, std::int64_t rows, Choice* choices) const {
    std::vector<std::int64_t> order(experts_.size());
    for (std::int64_t row = 0; row < rows; ++row) {
      const float* score = scores.data + row * scores.stride;
      std::iota(order.begin(), order.end(), 0);
      const auto better = [&](std::int64_t a, std::int64_t b) {
        return score[a] != score[b] ? score[a] > score[b] : a < b;
      };
      std::partial_sort(order.begin(), order.begin() + chosen_, order.end(), better);
      float total = 0;
      for (std::int64_t i = 0; i < chosen_; ++i) total += std::exp(score[order[i]] - score[order[0]]);
      for (std::int64_t i = 0; i < chosen_; ++i) {
        choices[row * chosen_ + i] = {order[i], row, std::exp(score[order[i]] - score[order[0]]) / total};
      }
    }
    std::stable_sort(choices, choices + rows * chosen_,
                     [](const Choice& a, const Choice& b) { return a.expert < b.expert; });
  }

  std::span<const Choice> choices_of(const Choice* choices, std::int64_t rows, std::int64_t expert) const {
    const Choice* end = choices + rows * chosen_;
    const auto* first = std::partition_point(choices, end, [=](const Choice& c) { return c.expert < expert; });
    return {first, std::partition_point(first, end, [=](const Choice& c) { return c.expert == expert; })};
  }

  void gather(const Location& from, std::span<const Choice> own, const Rows& to) const {
    for (std::size_t i = 0; i < own.size(); ++i) {
      std::copy_n(from.data + own[i].row * from.stride, width_, to.data + static_cast<std::int64_t>(i) * to.stride);
    }
  }

  void add(std::span<const Choice> own, const Rows& given, const Location& out) const {
    for (std::size_t i = 0; i < own.size(); ++i) {
      const float* from = given.data + static_cast<std::int64_t>(i) * given.stride;
      float* to = out.data + own[i].row * out.stride;
      for (std::int64_t d = 0; d < width_; ++d) to[d] += own[i].share * from[d];
    }
  }

  std::vector<Expert> experts_;
  std::int64_t chosen_;
  Activation activation_;
  Level level_;
  Dim rows_;
  std::int64_t width_ = 0, inner_ = 0;
};

}  // namespace

std::unique_ptr<Step> make_experts(const Context& c) { return std::make_unique<ExpertsStep>(c); }

}  // namespace accelerate::cpu
