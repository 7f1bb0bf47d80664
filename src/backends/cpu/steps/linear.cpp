#include "graph/ops/linear.hpp"

#include <algorithm>

#include "backends/cpu/steps/norm.hpp"

namespace accelerate::cpu {
namespace {

class LinearStep final : public Step {
 public:
  LinearStep(const Context& c, std::vector<std::string> matrices, std::vector<VectorWeight::Part> biases, bool gated,
             accelerate::Activation activation, Value residual)
      : matrix_(c.weights, std::move(matrices), c.level,
                {.precision = c.precision(), .gated = gated, .input = input_norm(c.graph, c.node())}),
        level_(c.level),
        rows_(row_count(c.operand(0).type.shape)),
        activation_(activation_of(activation)),
        residual_(residual) {
    const bool any = std::any_of(biases.begin(), biases.end(), [](const auto& part) { return !part.name.empty(); });
    if (any) bias_ = VectorWeight(c.weights, std::move(biases));
    if (c.norm != nullptr) norm_ = NormWeights(c, *c.norm);
    inputs = {c.norm != nullptr ? c.norm->operands[0] : c.node().operands[0]};
    if (residual) inputs.push_back(residual);
    // What is multiplied as it lies must stay until all columns are done.
    if (c.norm != nullptr || residual.id != inputs[0].id) in_place = residual;
    by_rows = true;
    read_bytes = matrix_.bytes().allocated + matrix_.bytes().mapped;
  }

  WeightBytes weight_bytes(std::set<std::string>& counted) const override {
    WeightBytes sum = counted.insert(matrix_.key()).second ? matrix_.bytes() : WeightBytes{};
    sum += bias_.bytes();
    sum += norm_.bytes();
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool& pool) override {
    matrix_.prepare(weights, pool);
    bias_.prepare(weights);
    norm_.prepare(weights);
  }

  std::span<const std::byte> packed_weights() const override { return matrix_.packed().panel_bytes(); }

  std::size_t workspace_bytes(const Extents& extents, int) const override {
    return rows_workspace_bytes(rows_.evaluate(extents));
  }
  std::size_t rows_workspace_bytes(std::int64_t rows) const override {
    return kernels(level_).linear_scratch_bytes(rows, matrix_.in_features(), matrix_.packing(), matrix_.input_sets(),
                                                !norm_.absent());
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    const Epilogue epilogue{.bias = bias_.data(),
                            .activation = activation_,
                            .residual = residual_ ? ConstRows(run.at(residual_)) : ConstRows{}};
    const Columns whole{0, out};
    const std::vector<Columns> parts = apart ? columns(run) : std::vector<Columns>{};
    run.kernels.linear(run.pool, out.rows, run.at(inputs[0]), matrix_.packed(), epilogue,
                       apart ? std::span<const Columns>(parts) : std::span<const Columns>(&whole, 1), run.workspace,
                       norm_.norm());
  }

 private:
  // Stretches of the product that lie side by side.
  std::vector<Columns> columns(const Run& run) const {
    std::vector<Columns> all;
    std::int64_t begin = 0;
    for (const Value output : outputs) {
      const Location& at = run.at(output);
      const bool goes_on = !all.empty() && at.stride == all.back().rows.stride &&
                           at.data == all.back().rows.data + (begin - all.back().begin);
      if (!goes_on) all.push_back({begin, at});
      begin += at.width;
    }
    return all;
  }

  MatrixWeight matrix_;
  Level level_;
  Dim rows_;
  VectorWeight bias_;
  NormWeights norm_;
  Activation activation_;
  Value residual_;
};

}  // namespace

std::unique_ptr<Step> make_linear(const Context& c) {
  std::vector<std::string> matrices;
  std::vector<VectorWeight::Part> biases;
  for (std::size_t member = 0; member < c.group.size(); ++member) {
    matrices.push_back(c.weight_name(1, member));
    const bool has_bias = static_cast<bool>(c.node(member).operands[2]);
    biases.push_back({has_bias ? c.weight_name(2, member) : "", c.node(member).type.shape.last().number()});
  }
  const std::int64_t panel = kernels(c.level).panel_columns();
  const bool apart = biases.size() > 1 && std::ranges::all_of(biases, [&](const VectorWeight::Part& part) {
                       return part.size % panel == 0;
                     });
  auto step = std::make_unique<LinearStep>(c, std::move(matrices), std::move(biases), false,
                                           c.as<ops::Linear>().activation, c.node().operands[3]);
  step->apart = apart;
  return step;
}

std::unique_ptr<Step> make_gated_linear(const Context& c) {
  const std::int64_t size = c.node().type.shape.last().number();
  std::vector<VectorWeight::Part> biases;
  for (const std::size_t i : {std::size_t{3}, std::size_t{4}}) {
    biases.push_back({c.node().operands[i] ? c.weight_name(i) : "", size});
  }
  return std::make_unique<LinearStep>(c, std::vector{c.weight_name(1), c.weight_name(2)}, std::move(biases), true,
                                      c.as<ops::GatedLinear>().activation, Value{});
}

}  // namespace accelerate::cpu
