#include <algorithm>
#include <cstring>
#include <map>

#include "backends/cpu/fusion.hpp"
#include "backends/cpu/step.hpp"
#include "graph/ops/attention.hpp"
#include "graph/ops/elementwise.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/norm.hpp"
#include "graph/ops/pool.hpp"

namespace accelerate::cpu {
namespace {

// What a maker of steps sees: the node, and the nodes that run with it.
struct Context {
  const Graph& graph;
  const Weights& weights;
  Level level;
  const std::vector<int>& uses;
  const std::vector<std::size_t>& group;

  const Node& node(std::size_t member = 0) const { return graph.nodes()[group[member]]; }
  Value value(std::size_t member = 0) const { return {static_cast<std::int32_t>(group[member])}; }
  const Node& operand(std::size_t index, std::size_t member = 0) const {
    return graph.node(node(member).operands[index]);
  }
  const std::string& weight_name(std::size_t index, std::size_t member = 0) const {
    const Node& weight = operand(index, member);
    if (weight.source != Node::Source::weight) {
      throw Error(ErrorKind::unsupported, std::string(node().operation->name()) + " with a computed weight",
                  node().name);
    }
    return weight.name;
  }
  VectorWeight vector(std::size_t index) const {
    if (!node().operands[index]) return {};
    return {weights, {{weight_name(index), operand(index).type.shape.last().number()}}};
  }
  template <typename Operation>
  const Operation& as(std::size_t member = 0) const {
    return static_cast<const Operation&>(*node(member).operation);
  }
};

cpu::Activation activation_of(accelerate::Activation activation) {
  switch (activation) {
    case accelerate::Activation::none: return Activation::none;
    case accelerate::Activation::relu: return Activation::relu;
    case accelerate::Activation::gelu: return Activation::gelu_erf;
    case accelerate::Activation::gelu_tanh: return Activation::gelu_tanh;
    case accelerate::Activation::quick_gelu: return Activation::quick_gelu;
    case accelerate::Activation::silu: return Activation::silu;
    case accelerate::Activation::tanh: return Activation::tanh;
    case accelerate::Activation::sigmoid: return Activation::sigmoid;
  }
  return Activation::none;
}

// Offsets of the items of a [batch, tokens, ...] value; `uniform` holds them where the value is dense.
std::span<const std::int64_t> offsets_of(const Shape& shape, const Extents& extents,
                                         std::vector<std::int64_t>& uniform) {
  if (shape.ragged) return extents.offsets(shape.ragged_symbol());
  const std::int64_t batch = shape.dims[0].evaluate(extents), tokens = shape.dims[1].evaluate(extents);
  for (std::int64_t i = 0; i <= batch; ++i) uniform.push_back(i * tokens);
  return uniform;
}

class EmbeddingStep final : public Step {
 public:
  // `embedding` is the member of the group that looks up, `norm` whether the leader normalises the sum.
  EmbeddingStep(const Context& c, std::size_t embedding, bool norm) {
    const Node& node = c.node(embedding);
    for (std::size_t i = 0; i < node.operands.size(); i += 2) {
      tables_.emplace_back(c.weights, c.weight_name(i, embedding));
      inputs.push_back(node.operands[i + 1]);
    }
    if (!norm) return;
    normalize_ = true;
    weight_ = c.vector(1);
    bias_ = c.vector(2);
    epsilon_ = static_cast<float>(c.as<ops::LayerNorm>().epsilon);
  }

  WeightBytes weight_bytes(std::set<std::string>&) const override {
    WeightBytes sum = weight_.bytes();
    sum += bias_.bytes();
    for (const TableWeight& table : tables_) sum += table.bytes();
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool&) override {
    for (TableWeight& table : tables_) table.prepare();
    weight_.prepare(weights);
    bias_.prepare(weights);
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    std::vector<EmbeddingTable> tables;
    for (std::size_t i = 0; i < tables_.size(); ++i) tables.push_back(tables_[i].table(run.at(inputs[i]).index));
    run.kernels.embedding(run.pool, {.tables = tables,
                                     .output = out,
                                     .rows = out.rows,
                                     .width = out.width,
                                     .normalize = normalize_,
                                     .norm_weight = weight_.data(),
                                     .norm_bias = bias_.data(),
                                     .epsilon = epsilon_});
  }

 private:
  std::vector<TableWeight> tables_;
  bool normalize_ = false;
  VectorWeight weight_, bias_;
  float epsilon_ = 0;
};

class LinearStep final : public Step {
 public:
  LinearStep(const Context& c, std::vector<std::string> matrices, std::vector<VectorWeight::Part> biases, bool gated,
             accelerate::Activation activation, Value residual)
      : matrix_(c.weights, std::move(matrices), c.level, gated),
        activation_(activation_of(activation)),
        residual_(residual) {
    const bool any = std::any_of(biases.begin(), biases.end(), [](const auto& part) { return !part.name.empty(); });
    if (any) bias_ = VectorWeight(c.weights, std::move(biases));
    inputs = {c.node().operands[0]};
    if (residual) inputs.push_back(residual);
    in_place = residual;
  }

  WeightBytes weight_bytes(std::set<std::string>& counted) const override {
    WeightBytes sum = counted.insert(matrix_.key()).second ? matrix_.bytes() : WeightBytes{};
    sum += bias_.bytes();
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool& pool) override {
    matrix_.prepare(weights, pool);
    bias_.prepare(weights);
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    run.kernels.linear(run.pool, out.rows, run.at(inputs[0]), matrix_.packed(),
                       {.bias = bias_.data(),
                        .activation = activation_,
                        .residual = residual_ ? ConstRows(run.at(residual_)) : ConstRows{}},
                       out);
  }

 private:
  MatrixWeight matrix_;
  VectorWeight bias_;
  Activation activation_;
  Value residual_;
};

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

class AttentionStep final : public Step {
 public:
  explicit AttentionStep(const Context& c)
      : op_(c.as<ops::Attention>()), level_(c.level), shape_(c.operand(0).type.shape) {
    const std::vector<Value>& operands = c.node().operands;
    inputs.assign(operands.begin(), operands.begin() + 3);
    bias_ = operands[3];
    cos_ = operands[4];
    sin_ = operands[5];
    for (const Value extra : {bias_, cos_, sin_}) {
      if (extra) inputs.push_back(extra);
    }
    head_dim_ = shape_.last().number() / op_.heads;
    // Rotating in place would change what others read.
    for (std::size_t i = 0; i < 2; ++i) copied_[i] = cos_ && c.uses[static_cast<std::size_t>(operands[i].id)] > 1;
  }

  std::size_t workspace_bytes(const Extents& extents, int threads) const override {
    const auto rows = static_cast<std::size_t>(shape_.rows().evaluate(extents));
    std::size_t bytes = scratch_bytes(threads);
    if (cos_) bytes += aligned(rows * sizeof(std::int64_t));
    for (std::size_t i = 0; i < 2; ++i) {
      if (copied_[i]) bytes += aligned(rows * static_cast<std::size_t>(width(i)) * sizeof(float));
    }
    return bytes;
  }

  void run(const Run& run) const override {
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = offsets_of(shape_, run.extents, uniform);
    const std::int64_t longest = shape_.dims[1].evaluate(run.extents);
    std::byte* free = run.workspace;
    Attention args{.query = run.at(inputs[0]),
                   .key = run.at(inputs[1]),
                   .value = run.at(inputs[2]),
                   .output = run.at(outputs[0]),
                   .heads = op_.heads,
                   .kv_heads = op_.kv_heads,
                   .head_dim = head_dim_,
                   .query_offsets = offsets,
                   .scale = static_cast<float>(op_.scale),
                   .causal = op_.causal};
    if (op_.window >= 0) args.window = op_.window;
    if (bias_) {
      args.relative_bias = run.at(bias_).data;
      args.bias_tokens = longest;
    }
    args.scratch = reinterpret_cast<float*>(free);
    free += scratch_bytes(run.pool.threads());
    if (cos_) rotate(run, offsets, args, free);
    run.kernels.attention(run.pool, args);
  }

 private:
  static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
  std::size_t scratch_bytes(int threads) const {
    return aligned(kernels(level_).attention_scratch_floats(head_dim_, threads) * sizeof(float));
  }
  std::int64_t width(std::size_t operand) const { return (operand == 0 ? op_.heads : op_.kv_heads) * head_dim_; }

  void rotate(const Run& run, std::span<const std::int64_t> offsets, Attention& args, std::byte* free) const {
    const std::int64_t rows = offsets.back();
    auto* positions = reinterpret_cast<std::int64_t*>(free);
    free += aligned(static_cast<std::size_t>(rows) * sizeof(std::int64_t));
    for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
      for (std::int64_t row = offsets[item]; row < offsets[item + 1]; ++row) positions[row] = row - offsets[item];
    }
    ConstRows* rotated[] = {&args.query, &args.key};
    for (std::size_t i = 0; i < 2; ++i) {
      Rows x = run.at(inputs[i]);
      if (copied_[i]) x = copy(*rotated[i], rows, width(i), free);
      run.kernels.rotary(run.pool, {.x = x,
                                    .rows = rows,
                                    .heads = width(i) / head_dim_,
                                    .head_dim = head_dim_,
                                    .rotary_dim = 2 * run.at(cos_).width,
                                    .interleaved = op_.interleaved_rotary,
                                    .cosine = run.at(cos_).data,
                                    .sine = run.at(sin_).data,
                                    .positions = positions});
      *rotated[i] = x;
    }
  }

  static Rows copy(ConstRows from, std::int64_t rows, std::int64_t width, std::byte*& free) {
    const Rows to{reinterpret_cast<float*>(free), width};
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(from.data + row * from.stride, width, to.data + row * width);
    }
    free += aligned(static_cast<std::size_t>(rows * width) * sizeof(float));
    return to;
  }

  const ops::Attention& op_;
  Level level_;
  Shape shape_;
  std::int64_t head_dim_ = 0;
  Value bias_, cos_, sin_;
  bool copied_[2] = {false, false};
};

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

// The rest: one lambda over rows.
template <typename Function>
class RowsStep final : public Step {
 public:
  RowsStep(const Context& c, bool may_overwrite, Function function) : function_(std::move(function)) {
    inputs = c.node().operands;
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

std::unique_ptr<Step> make_linear(const Context& c) {
  std::vector<std::string> matrices;
  std::vector<VectorWeight::Part> biases;
  for (std::size_t member = 0; member < c.group.size(); ++member) {
    matrices.push_back(c.weight_name(1, member));
    const bool has_bias = static_cast<bool>(c.node(member).operands[2]);
    biases.push_back({has_bias ? c.weight_name(2, member) : "", c.node(member).type.shape.last().number()});
  }
  return std::make_unique<LinearStep>(c, std::move(matrices), std::move(biases), false, c.as<ops::Linear>().activation,
                                      c.node().operands[3]);
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

std::unique_ptr<Step> make_layer_norm(const Context& c) {
  if (c.group.size() > 1) return std::make_unique<EmbeddingStep>(c, 1, true);
  return std::make_unique<NormStep>(c, c.vector(2), c.as<ops::LayerNorm>().epsilon, false);
}

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

using Maker = std::unique_ptr<Step> (*)(const Context&);

const std::map<std::string_view, Maker>& makers() {
  static const std::map<std::string_view, Maker> table{
      {"embedding",
       [](const Context& c) -> std::unique_ptr<Step> { return std::make_unique<EmbeddingStep>(c, 0, false); }},
      {"linear", make_linear},
      {"gated_linear", make_gated_linear},
      {"layer_norm", make_layer_norm},
      {"rms_norm",
       [](const Context& c) -> std::unique_ptr<Step> {
         return std::make_unique<NormStep>(c, VectorWeight(), c.as<ops::RmsNorm>().epsilon, true);
       }},
      {"attention", [](const Context& c) -> std::unique_ptr<Step> { return std::make_unique<AttentionStep>(c); }},
      {"pool", [](const Context& c) -> std::unique_ptr<Step> { return std::make_unique<PoolStep>(c); }},
      {"select_rows", [](const Context& c) -> std::unique_ptr<Step> { return std::make_unique<SelectRowsStep>(c); }},
      {"normalize", make_normalize},
      {"activate", make_activate},
      {"add", make_combine},
      {"multiply", make_combine},
      {"concat", make_concat},
      {"slice", make_slice}};
  return table;
}

}  // namespace

bool has_kernel(std::string_view operation) { return makers().contains(operation); }

std::vector<std::unique_ptr<Step>> make_steps(const Graph& graph, const Weights& weights, Level level) {
  const Fusion fusion = find_fusions(graph);
  const std::vector<int> uses = use_counts(graph);
  std::vector<std::unique_ptr<Step>> steps;
  for (const std::vector<std::size_t>& group : fusion.groups) {
    if (group.empty()) continue;
    const Context context{graph, weights, level, uses, group};
    const Node& node = context.node();
    const auto maker = makers().find(node.operation->name());
    if (maker == makers().end()) {
      throw Error(ErrorKind::unsupported, "operation " + std::string(node.operation->name()) + " has no kernel here",
                  "backend cpu");
    }
    std::unique_ptr<Step> step = maker->second(context);
    step->path = node.name;
    step->operation = node.operation->name();
    const bool several_results = node.operation->name() == "linear";
    for (std::size_t member = 0; member < (several_results ? group.size() : 1); ++member) {
      step->outputs.push_back(context.value(member));
    }
    steps.push_back(std::move(step));
  }
  return steps;
}

}  // namespace accelerate::cpu
