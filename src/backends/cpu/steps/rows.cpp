// Steps that are one call over rows.
#include <algorithm>

#include "backends/cpu/steps/make.hpp"
#include "graph/ops/elementwise.hpp"

namespace accelerate::cpu {
namespace {

// The rest: one lambda over rows.
template <typename Function>
class RowsStep final : public Step {
 public:
  RowsStep(const Context& c, bool may_overwrite, Function function) : function_(std::move(function)) {
    inputs = c.node().operands;
    by_rows = true;
    if (may_overwrite) in_place = inputs[0];
  }
  void run(const Run& run) const override { function_(run, *this); }

 private:
  Function function_;
};

template <typename Function>
std::unique_ptr<Step> rows_step(const Context& c, bool may_overwrite, Function function) {
  return std::make_unique<RowsStep<Function>>(c, may_overwrite, std::move(function));
}

void copy_columns(const Location& from, std::int64_t begin, std::int64_t width, const Location& to,
                  std::int64_t to_column) {
  for (std::int64_t row = 0; row < to.rows; ++row) {
    std::copy_n(from.data + row * from.stride + begin, width, to.data + row * to.stride + to_column);
  }
}

}  // namespace

std::unique_ptr<Step> make_normalize(const Context& c) {
  return rows_step(c, true, [](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    run.kernels.l2_normalize(run.pool, out.rows, out.width, run.at(step.inputs[0]), out);
  });
}

std::unique_ptr<Step> make_activate(const Context& c) {
  const Activation activation = activation_of(c.as<ops::Activate>().activation);
  return rows_step(c, true, [activation](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    run.kernels.activate(run.pool, activation, out.rows, out.width, run.at(step.inputs[0]), out);
  });
}

std::unique_ptr<Step> make_softcap(const Context& c) {
  const auto cap = static_cast<float>(c.as<ops::Softcap>().cap);
  return rows_step(c, true, [cap](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    run.kernels.softcap(run.pool, cap, out.rows, out.width, run.at(step.inputs[0]), out);
  });
}

std::unique_ptr<Step> make_scale(const Context& c) {
  const auto factor = static_cast<float>(c.as<ops::Scale>().factor);
  return rows_step(c, true, [factor](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    run.kernels.affine(run.pool, factor, 0, out.rows, out.width, run.at(step.inputs[0]), out);
  });
}

std::unique_ptr<Step> make_combine(const Context& c) {
  const Binary kind = c.as<ops::Combine>().kind == ops::Combine::Kind::add ? Binary::add : Binary::multiply;
  return rows_step(c, true, [kind](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    run.kernels.binary(run.pool, kind, out.rows, out.width, run.at(step.inputs[0]), run.at(step.inputs[1]), out);
  });
}

std::unique_ptr<Step> make_concat(const Context& c) {
  return rows_step(c, false, [](const Run& run, const Step& step) {
    std::int64_t column = 0;
    for (const Value part : step.inputs) {
      copy_columns(run.at(part), 0, run.at(part).width, run.at(step.outputs[0]), column);
      column += run.at(part).width;
    }
  });
}

std::unique_ptr<Step> make_slice(const Context& c) {
  const std::int64_t begin = c.as<ops::Slice>().begin;
  return rows_step(c, false, [begin](const Run& run, const Step& step) {
    const Location& out = run.at(step.outputs[0]);
    copy_columns(run.at(step.inputs[0]), begin, out.width, out, 0);
  });
}

}  // namespace accelerate::cpu
