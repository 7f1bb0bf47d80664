#include "graph/builder.hpp"

#include <algorithm>
#include <cmath>

#include "graph/ops/attention.hpp"
#include "graph/ops/elementwise.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/ops/experts.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/norm.hpp"
#include "graph/ops/rotary.hpp"

namespace accelerate {
namespace {

Shape shape_of(const Dims& dims) { return Shape(std::vector<Dim>(dims.begin(), dims.end())); }

[[noreturn]] void fail_shape(const Weight& weight, const std::string& expected) {
  throw Error(ErrorKind::corrupted, "has shape " + accelerate::to_string(weight.dims) + ", expected " + expected,
              weight.where, "the config and the weights may be from different models");
}

// Operations rely on the rank of what they are given, and only here the tensor's name in the file is known.
void require_matrix(const Weight& weight, std::int64_t columns) {
  if (weight.dims.size() == 2 && weight.dims[1] == columns) return;
  fail_shape(weight, "[any, " + std::to_string(columns) + "]");
}

// Bucket of a distance key - query: half of the buckets for each direction where there are two; the first half of a
// direction's exact, the rest by the logarithm of the distance, in f32 as Transformers rounds it.
std::int64_t relative_bucket(std::int64_t distance, std::int64_t buckets, std::int64_t max_distance, bool both) {
  const std::int64_t own = both ? buckets / 2 : buckets, exact = own / 2;
  const std::int64_t side = both && distance > 0 ? own : 0;
  const std::int64_t away = both ? std::abs(distance) : std::max<std::int64_t>(-distance, 0);
  if (away < exact) return side + away;
  const float ratio = std::log(static_cast<float>(away) / static_cast<float>(exact)) /
                      static_cast<float>(std::log(static_cast<double>(max_distance) / static_cast<double>(exact)));
  const auto far = exact + static_cast<std::int64_t>(ratio * static_cast<float>(own - exact));
  return side + std::min(far, own - 1);
}

Tensor bucket_table(std::int64_t tokens, std::int64_t buckets, std::int64_t max_distance, bool both) {
  Tensor table(DType::i64, {std::max<std::int64_t>(2 * tokens - 1, 0)});
  for (std::int64_t i = 0; i < table.elements(); ++i) {
    table.as<std::int64_t>()[static_cast<std::size_t>(i)] =
        relative_bucket(i - tokens + 1, buckets, max_distance, both);
  }
  return table;
}

// Row 0: radians a position; row 1: what cosines and sines are multiplied with.
Tensor rotary_table(const RotaryFrequencies& frequencies) {
  const auto half = static_cast<std::int64_t>(frequencies.values.size());
  Tensor table(DType::f32, {2, half});
  std::ranges::copy(frequencies.values, table.as<float>().begin());
  std::ranges::fill(table.as<float>().subspan(frequencies.values.size()), frequencies.magnitude);
  return table;
}

}  // namespace

Builder::Scope::Scope(Builder& builder, std::string_view name) : builder_(builder), length_(builder.path_.size()) {
  if (!builder_.path_.empty() && !name.empty()) builder_.path_ += '.';
  builder_.path_ += name;
}

Builder::Scope::~Scope() { builder_.path_.resize(length_); }

Builder::Builder(std::string graph_name, const Weights& weights, State state)
    : graph_name_(std::move(graph_name)), weights_(weights), state_(state) {}

std::string Builder::full_name(std::string_view name) const {
  return path_.empty() ? std::string(name) : name.empty() ? path_ : path_ + "." + std::string(name);
}

Value Builder::append(Node node) {
  nodes_.push_back(std::move(node));
  return {static_cast<std::int32_t>(nodes_.size() - 1)};
}

Value Builder::input(std::string name, Type type, InputRule rule) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].source == Node::Source::input && nodes_[i].name == name) return {static_cast<std::int32_t>(i)};
  }
  Node node;
  node.source = Node::Source::input;
  node.name = std::move(name);
  node.type = std::move(type);
  node.rule = rule;
  return append(std::move(node));
}

Value Builder::token_input(std::string name, InputRule rule) {
  return input(std::move(name), {Element::index, Shape({kBatch, kTokens}, true)}, rule);
}

bool Builder::has(std::string_view name) const { return weights_.find(full_name(name)) != nullptr; }

Value Builder::weight(std::string_view name, const Dims& expected) {
  const Weight& weight = weights_.at(full_name(name));
  if (!expected.empty() && weight.dims != expected) fail_shape(weight, accelerate::to_string(expected));
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].source == Node::Source::weight && nodes_[i].name == weight.name) {
      return {static_cast<std::int32_t>(i)};
    }
  }
  Node node;
  node.source = Node::Source::weight;
  node.name = weight.name;
  node.type = {Element::real, shape_of(weight.dims)};
  return append(std::move(node));
}

Value Builder::table(std::string name, Type type, std::function<Tensor(const Extents&)> make, TableSizes sizes) {
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    if (nodes_[i].source == Node::Source::table && nodes_[i].name == name) return {static_cast<std::int32_t>(i)};
  }
  Node node;
  node.source = Node::Source::table;
  node.name = std::move(name);
  node.type = std::move(type);
  node.table = std::move(make);
  node.table_of = std::move(sizes.of);
  node.table_limit = sizes.limit;
  return append(std::move(node));
}

Value Builder::apply(std::shared_ptr<const Operation> operation, std::vector<Value> operands) {
  Node node;
  node.name = path_;
  std::vector<const Type*> types;
  for (const Value operand : operands) types.push_back(operand ? &type(operand) : nullptr);
  try {
    node.type = operation->infer(types);
  } catch (const Error& error) {
    throw error.within(path_.empty() ? "graph " + graph_name_ : path_);
  }
  node.operation = std::move(operation);
  node.operands = std::move(operands);
  return append(std::move(node));
}

Value Builder::embedding(const std::vector<Lookup>& lookups, double scale) {
  std::vector<Value> operands;
  std::int64_t hidden_size = 0;  // the first table's, which all the others must share
  for (const Lookup& lookup : lookups) {
    const std::string name = std::string(lookup.table) + ".weight";
    const Weight& table = weights_.at(full_name(name));
    if (operands.empty()) hidden_size = table.dims.empty() ? 1 : table.dims.back();
    require_matrix(table, hidden_size);
    operands.push_back(weight(name));
    operands.push_back(lookup.index);
  }
  const Scope inner = scope(lookups.front().table);
  return apply(std::make_shared<ops::Embedding>(scale), std::move(operands));
}

Value Builder::bias_of(std::string_view name, Bias bias, std::int64_t size) {
  const std::string full = std::string(name) + ".bias";
  if (bias == Bias::none || (bias == Bias::if_present && !has(full))) return {};
  return weight(full, {size});
}

Value Builder::linear(std::string_view name, Value x, const LinearOptions& options) {
  const std::string weight_name = std::string(name) + ".weight";
  Dims expected;
  const Weight& stored = weights_.at(full_name(weight_name));
  // What follows adds the residual, so that its width is fixed.
  const std::int64_t fixed = options.residual ? width(options.residual) : options.out_features;
  if (stored.dims.size() != 2 || stored.dims[1] != width(x) || (fixed != 0 && stored.dims[0] != fixed)) {
    expected = {fixed != 0 || stored.dims.empty() ? fixed : stored.dims[0], width(x)};
  }
  const Value matrix = weight(weight_name, expected);
  const Value bias = bias_of(name, options.bias, stored.dims[0]);
  const Scope inner = scope(name);
  return linear(x, matrix, bias, options);
}

Value Builder::linear(Value x, Value weight, Value bias, const LinearOptions& options) {
  return apply(std::make_shared<ops::Linear>(options.activation), {x, weight, bias, options.residual});
}

Value Builder::gated_linear(std::string_view gate, std::string_view up, Value x, Activation activation, Bias bias) {
  const std::string gate_name = std::string(gate) + ".weight", up_name = std::string(up) + ".weight";
  require_matrix(weights_.at(full_name(gate_name)), width(x));
  require_matrix(weights_.at(full_name(up_name)), width(x));
  const Value gate_weight = weight(gate_name), up_weight = weight(up_name);
  const std::int64_t out = type(gate_weight).shape.dims[0].number();
  const Value gate_bias = bias_of(gate, bias, out);
  const Value up_bias = bias_of(up, bias, out);
  const Scope inner = scope(gate);
  return apply(std::make_shared<ops::GatedLinear>(activation), {x, gate_weight, up_weight, gate_bias, up_bias});
}

Value Builder::experts(std::string_view name, Value x, Value scores, const ExpertsOptions& options) {
  const Scope all = scope(name);
  std::vector<Value> operands{x, scores};
  std::int64_t inner = 0;  // the first expert's, which all the others must share
  for (std::int64_t i = 0; i < width(scores); ++i) {
    const auto named = [&](std::string_view matrix) {
      return std::to_string(i) + "." + std::string(matrix) + ".weight";
    };
    if (i == 0) {
      const Weight& gate = weights_.at(full_name(named(options.gate)));
      require_matrix(gate, width(x));
      inner = gate.dims[0];
    }
    operands.push_back(weight(named(options.gate), {inner, width(x)}));
    operands.push_back(weight(named(options.up), {inner, width(x)}));
    operands.push_back(weight(named(options.down), {width(x), inner}));
  }
  return apply(std::make_shared<ops::Experts>(options.chosen, options.activation), std::move(operands));
}

Value Builder::layer_norm(std::string_view name, Value x, double epsilon, Bias bias) {
  const std::int64_t size = width(x);
  const Value scale = weight(std::string(name) + ".weight", {size});
  const Value shift = bias_of(name, bias, size);
  const Scope inner = scope(name);
  return apply(std::make_shared<ops::LayerNorm>(epsilon), {x, scale, shift});
}

Value Builder::rms_norm(std::string_view name, Value x, double epsilon, double offset, std::int64_t groups) {
  const Value scale = weight(std::string(name) + ".weight", {width(x) / groups});
  const Scope inner = scope(name);
  return apply(std::make_shared<ops::RmsNorm>(epsilon, offset, groups), {x, scale});
}

Value Builder::state(std::string_view name, std::int64_t width, std::int64_t window) {
  Node node;
  node.source = Node::Source::state;
  node.name = full_name(name);
  node.type = {Element::real, Shape({kBatch, kPast, width}, true)};
  node.state.window = window;
  return append(std::move(node));
}

Value Builder::attention(const AttentionOptions& options) {
  auto operation = std::make_shared<ops::Attention>();
  operation->heads = options.heads;
  operation->kv_heads = options.kv_heads != 0 ? options.kv_heads : options.heads;
  const std::int64_t head_dim = options.heads > 0 ? width(options.query) / options.heads : 1;
  operation->scale = options.scale != 0 ? options.scale : 1 / std::sqrt(static_cast<double>(head_dim));
  operation->softcap = options.softcap;
  operation->causal = options.causal;
  operation->window = options.window;
  operation->interleaved_rotary = options.interleaved_rotary;
  std::vector<Value> operands{options.query,         options.key,        options.value,
                              options.relative_bias, options.rotary_cos, options.rotary_sin};
  if (state_ == State::kept && options.causal) {
    operands.push_back(state("key", width(options.key), options.window));
    operands.push_back(state("value", width(options.value), options.window));
  }
  return apply(std::move(operation), std::move(operands));
}

Value Builder::pool(Value x, ops::PoolMode mode, Value skip) {
  const auto operation = std::make_shared<ops::Pool>(mode);
  return skip ? apply(operation, {x, skip}) : apply(operation, {x});
}

Value Builder::normalize(Value x) { return apply(std::make_shared<ops::Normalize>(), {x}); }

Value Builder::select_rows(Value x, Value item, Value position) {
  return apply(std::make_shared<ops::SelectRows>(), {x, item, position});
}

Value Builder::activate(Value x, Activation activation) {
  return activation == Activation::none ? x : apply(std::make_shared<ops::Activate>(activation), {x});
}

Value Builder::scale(Value x, double factor) {
  return factor == 1 ? x : apply(std::make_shared<ops::Scale>(factor), {x});
}

Value Builder::softcap(Value x, double cap) { return cap == 0 ? x : apply(std::make_shared<ops::Softcap>(cap), {x}); }

Value Builder::add(Value a, Value b) { return apply(std::make_shared<ops::Combine>(ops::Combine::Kind::add), {a, b}); }

Value Builder::multiply(Value a, Value b) {
  return apply(std::make_shared<ops::Combine>(ops::Combine::Kind::multiply), {a, b});
}

Value Builder::concat(const std::vector<Value>& parts) {
  return parts.size() == 1 ? parts[0] : apply(std::make_shared<ops::Concat>(), parts);
}

Value Builder::slice(Value x, std::int64_t begin, std::int64_t end) {
  return apply(std::make_shared<ops::Slice>(begin, end), {x});
}

Value Builder::column(Value x, std::int64_t index) {
  return apply(std::make_shared<ops::Slice>(index, index + 1, /*drop=*/true), {x});
}

Rotary Builder::rotary(const RotaryRule& rule, Value positions) {
  const auto [known, is_new] = rotaries_.try_emplace(rule.name + " " + std::to_string(positions.id));
  if (!is_new) return known->second;
  const Dim longest = state_ == State::kept ? kPositions : kTokens;
  const Value table =
      this->table("rotary " + rule.name, {Element::real, Shape{2, rule.rotary_dim / 2}},
                  [frequencies = rule.frequencies, by_length = rule.by_length, longest](const Extents& extents) {
                    return rotary_table(frequencies(by_length ? longest.evaluate(extents) : 0));
                  },
                  {.of = rule.by_length ? std::vector<Dim>{longest} : std::vector<Dim>{}, .limit = rule.limit});
  using Wave = ops::RotaryFactor::Wave;
  const auto factor = [&](Wave wave) { return apply(std::make_shared<ops::RotaryFactor>(wave), {positions, table}); };
  return known->second = {factor(Wave::cos), factor(Wave::sin)};
}

Value Builder::relative_bias(std::string_view name, std::int64_t buckets, std::int64_t max_distance,
                             Directions directions) {
  const Value parameter = weight(std::string(name) + ".weight");
  const Dim longest = state_ == State::kept ? kPositions : kTokens;
  const bool both = directions == Directions::both;
  const Type type{Element::index, Shape{Dim(2) * longest - Dim(1)}};
  const Value bucket = table("relative_buckets", type, [=](const Extents& extents) {
    return bucket_table(longest.evaluate(extents), buckets, max_distance, both);
  });
  const Scope inner = scope(name);
  return apply(std::make_shared<ops::Embedding>(), {parameter, bucket});
}

void Builder::output(std::string name, Value value) { outputs_.push_back({std::move(name), value}); }

Value Builder::find_output(std::string_view name) const {
  const auto found = std::ranges::find(outputs_, name, &Graph::Output::name);
  return found == outputs_.end() ? Value{} : found->value;
}

Graph Builder::finish() { return {graph_name_, std::move(nodes_), std::move(outputs_)}; }

}  // namespace accelerate
