#include "lowering/onnx.hpp"

#include <algorithm>

#include "graph/ops/attention.hpp"
#include "graph/ops/experts.hpp"
#include "lowering/int8.hpp"
#include "lowering/lower_primitive.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

struct Row {
  std::string_view operation;
  Override lower;
};

constexpr Row kOverrides[] = {{"embedding", lower_embedding},         {"linear", lower_linear},
                              {"gated_linear", lower_gated_linear},   {"layer_norm", lower_layer_norm},
                              {"rms_norm", lower_rms_norm},           {"activate", lower_activate},
                              {"attention", lower_attention},         {"pool", lower_pool},
                              {"rotary_factor", lower_rotary_factor}, {"experts", lower_experts}};

Override override_of(std::string_view operation) {
  const auto* found = std::find_if(std::begin(kOverrides), std::end(kOverrides),
                                   [&](const Row& row) { return row.operation == operation; });
  return found == std::end(kOverrides) ? nullptr : found->lower;
}

// Operations that compute each row from the same row of their operands, so that rows need no padding for them; and
// attention, which places rows itself.
constexpr std::string_view kTakeRows[] = {
    "embedding", "linear", "gated_linear", "layer_norm", "rms_norm", "normalize", "activate", "softcap",
    "scale",     "add",    "multiply",     "concat",     "slice",    "attention", "experts",  "rotary_factor"};

bool takes_rows(std::string_view operation) {
  return std::find(std::begin(kTakeRows), std::end(kTakeRows), operation) != std::end(kTakeRows);
}

Shape dense(Shape shape, Ragged ragged) {
  if (shape.ragged && ragged == Ragged::rows) {
    std::vector<Dim> dims{Dim::symbol(shape.ragged_symbol() + ".rows")};
    dims.insert(dims.end(), shape.dims.begin() + 2, shape.dims.end());
    return Shape(std::move(dims));
  }
  shape.ragged = false;
  return shape;
}

StateUse use_of_state(const Graph& graph, const Node& state) {
  std::int64_t layer = 0;
  for (const Node& node : graph.nodes()) {
    if (!node.operation || node.operation->name() != "attention") continue;
    if (node.operands.size() <= ops::Attention::kPastKey) continue;
    const auto reads = [&](std::size_t which) { return graph.node(node.operands[which]).name == state.name; };
    const bool key = reads(ops::Attention::kPastKey);
    if (key || reads(ops::Attention::kPastValue)) {
      return {static_cast<const ops::Attention&>(*node.operation).kv_heads, layer, key ? "key" : "value"};
    }
    ++layer;
  }
  throw Error(ErrorKind::unsupported, "no attention reads the state \"" + state.name + "\"", "lowering to ONNX");
}

// What files call a state, as Hugging Face's exporter does: "past_key_values.0.key", and "present.0.key" after the run.
std::string name_in_file(std::string_view stem, const StateUse& use) {
  return std::string(stem) + "." + std::to_string(use.layer) + "." + use.part;
}

std::string number(OnnxBuilder& b, std::int64_t value) { return b.scalar(static_cast<double>(value), DType::i64); }

// Of two values where one is 1 on each axis that they do not share.
Shape broadcast(const Shape& a, const Shape& b) {
  if (a.rank() < b.rank()) return broadcast(b, a);
  Shape shape = a;
  for (std::size_t i = 0; i < b.rank(); ++i) {
    Dim& dim = shape.dims[a.rank() - b.rank() + i];
    if (dim == Dim(1)) dim = b.dims[i];
  }
  return shape;
}

// The names that Transformers gives the masks of a text's tokens and of its source's.
std::string mask_name(const std::string& symbol) {
  if (symbol == "source") return "encoder_attention_mask";
  return symbol == "tokens" ? "attention_mask" : symbol + "_mask";
}

}  // namespace

Lowering::Lowering(const Graph& graph, const Weights& weights, const OnnxOptions& options)
    : graph_(graph),
      weights_(weights),
      options_(options),
      builder_(options.opset, options.real),
      values_(graph.nodes().size()) {}

Operand Lowering::real(std::string name, Shape shape) const {
  return {.name = std::move(name), .dtype = options_.real, .shape = std::move(shape)};
}

Operand Lowering::index_input(OnnxInput::Source source, const std::string& name, const std::string& symbol,
                              Shape shape) {
  return builder_.once("input " + name, [&] {
    return builder_.input(
        {.name = name, .dtype = DType::i64, .shape = std::move(shape), .source = source, .of = symbol});
  });
}

// Of the past and the tokens behind it: one input of a file.
Operand Lowering::whole_mask() {
  return index_input(OnnxInput::Source::mask, mask_name("tokens"), "", Shape{kBatch, kPast + kTokens});
}

Operand Lowering::mask(const std::string& symbol) {
  const bool is_past = Dim::symbol(symbol) == kPast;
  if (is_file() && graph_.keeps_state() && (is_past || Dim::symbol(symbol) == kTokens)) {
    return builder_.once("mask " + symbol, [&] {
      return builder_.slice(whole_mask(), 1, is_past ? Dim(0) : kPast, is_past ? kPast : kPast + kTokens);
    });
  }
  return index_input(OnnxInput::Source::mask, mask_name(symbol), symbol, Shape{kBatch, Dim::symbol(symbol)});
}

Operand Lowering::row_of_place(const std::string& symbol) {
  return index_input(OnnxInput::Source::row_of_place, symbol + ".row_of_place", symbol,
                     Shape{kBatch, Dim::symbol(symbol)});
}

Operand Lowering::place_of_row(const std::string& symbol) {
  return index_input(OnnxInput::Source::place_of_row, symbol + ".place_of_row", symbol,
                     Shape{Dim::symbol(symbol + ".rows")});
}

Operand Lowering::padded(const Operand& rows, const std::string& symbol) {
  if (options_.ragged == Ragged::padded) return rows;
  return builder_.once("padded " + rows.name, [&] { return builder_.gather(rows, row_of_place(symbol)); });
}

Operand Lowering::rows_of(const Operand& padded, const std::string& symbol) {
  std::vector<Dim> dims{padded.shape.dims[0] * padded.shape.dims[1]};
  dims.insert(dims.end(), padded.shape.dims.begin() + 2, padded.shape.dims.end());
  return builder_.gather(builder_.reshape(padded, std::move(dims)), place_of_row(symbol));
}

// 0, 1, ... over what the mask has; where it has nothing, what nobody reads.
Operand Lowering::unmasked_positions(const Node& node) {
  OnnxBuilder& b = builder_;
  Operand seen = graph_.keeps_state() ? whole_mask() : mask(node.type.shape.ragged_symbol());
  Operand count{.name = b.node("CumSum", {seen.name, number(b, 1)}), .dtype = seen.dtype, .shape = seen.shape};
  if (graph_.keeps_state()) count = b.slice(count, 1, kPast, kPast + kTokens);
  const std::string position = b.node("Max", {b.node("Sub", {count.name, number(b, 1)}), number(b, 0)});
  return {.name = b.node("Add", {position, number(b, node.rule.offset)}),
          .dtype = DType::i64,
          .shape = dense(node.type.shape, options_.ragged)};
}

// From the mask or the ids, as Transformers counts; nothing where the graph has none.
Operand Lowering::positions(const Node& node) {
  if (node.rule.fill == InputRule::Fill::rows) return unmasked_positions(node);
  const auto ids = std::find_if(graph_.nodes().begin(), graph_.nodes().end(), [](const Node& each) {
    return each.source == Node::Source::input && each.rule.fill == InputRule::Fill::required &&
           each.type.element == Element::index && each.type.shape.ragged;
  });
  if (ids == graph_.nodes().end()) return {};
  const Shape shape = dense(node.type.shape, options_.ragged);
  OnnxBuilder& b = builder_;
  if (node.rule.fill == InputRule::Fill::columns) {
    Primitive column(PrimitiveKind::iota);
    column.numbers = {1};
    const Operand columns = lower_primitive(b, column, {}, shape);
    if (node.rule.offset == 0) return columns;
    return {.name = b.node("Add", {columns.name, number(b, node.rule.offset)}), .dtype = DType::i64, .shape = shape};
  }
  const Operand& given = values_[static_cast<std::size_t>(ids - graph_.nodes().begin())];
  const std::string padding = number(b, node.rule.padding_id);
  const Operand is_token{.name = b.node("Not", {b.node("Equal", {given.name, padding})}), .dtype = DType::boolean};
  const std::string token = b.index(is_token);
  const std::string count = b.node("CumSum", {token, number(b, 1)});
  return {.name = b.node("Add", {b.node("Mul", {count, token}), padding}), .dtype = DType::i64, .shape = shape};
}

Operand Lowering::input(const Node& node) {
  using Fill = InputRule::Fill;
  const Fill fill = node.rule.fill;
  const bool counted = fill == Fill::columns || fill == Fill::columns_after_padding || fill == Fill::rows;
  const bool computed = is_file() && counted;
  const Operand value = computed ? positions(node) : Operand{};
  if (value) return value;
  return builder_.input({.name = node.name,
                         .dtype = node.type.element == Element::real ? DType::f32 : DType::i64,
                         .shape = dense(node.type.shape, options_.ragged),
                         .source = OnnxInput::Source::feed,
                         .of = node.name});
}

// Of two tables of rows, one for texts up to a limit and one for longer ones, those that this run needs.
// In its own type, whatever the reals are: frequencies of 16 bits would be others.
Operand Lowering::as_it_is(const std::string& name, Tensor values) {
  return builder_.initializer(
      {.name = name, .dtype = values.dtype(), .dims = values.dims(), .values = std::move(values)});
}

Operand Lowering::either(const Node& node, const Tensor& brief, const Tensor& prolonged) {
  OnnxBuilder& b = builder_;
  const Operand first = as_it_is(node.name + " brief", brief), second = as_it_is(node.name + " prolonged", prolonged);
  const std::string longer = b.node("Greater", {b.size(longest()), b.indices({node.table_limit})});
  return {.name = b.node("Where", {longer, second.name, first.name}), .dtype = first.dtype, .shape = first.shape};
}

// An input; or a constant as large as the largest run needs, of which each takes its part.
Operand Lowering::table(const Node& node) {
  if (!is_file()) {
    return builder_.input({.name = node.name,
                           .dtype = node.type.element == Element::real ? DType::f32 : DType::i64,
                           .shape = node.type.shape,
                           .source = OnnxInput::Source::table,
                           .of = node.name});
  }
  const std::string symbol(longest().symbol_name());
  const auto of = [&](std::int64_t tokens) { return node.table(Extents().set(symbol, tokens).set("batch", 1)); };
  if (node.table_limit > 0 && node.table_limit < options_.self_contained) {
    return either(node, of(node.table_limit), of(options_.self_contained));
  }
  const Operand whole = as_it_is(node.name, of(options_.self_contained));
  const Dim& rows = node.type.shape.dims[0];
  if (rows.is_number()) return whole;
  if (rows == longest()) return builder_.slice(whole, 0, 0, rows);
  // Distances lie around the middle.
  const Dim begin = Dim(options_.self_contained) - longest();
  if (rows == Dim(2) * longest() - Dim(1)) return builder_.slice(whole, 0, begin, begin + rows);
  throw Error(ErrorKind::unsupported,
              "table \"" + node.name + "\" of " + rows.to_string() + " rows has no constant form", "lowering to ONNX");
}

// Padded in any case: what it holds is nobody's rows of this run. By heads, as attention reads it: what a run computes
// and the next one reads is then never turned.
Operand Lowering::state(const Node& node) {
  const std::vector<Dim>& dims = node.type.shape.dims;
  StateUse use = use_of_state(graph_, node);
  Operand value = builder_.input({.name = is_file() ? name_in_file("past_key_values", use) : node.name,
                                  .dtype = options_.real,
                                  .shape = {dims[0], use.heads, dims[1], dims[2].number() / use.heads},
                                  .source = OnnxInput::Source::state,
                                  .of = node.name});
  uses_.emplace(value.name, std::move(use));
  return value;
}

void Lowering::append_to(const Operand& state, const Operand& added, const Operand& present) {
  const std::vector<Dim>& d = added.shape.dims;
  Operand rows;
  if (!is_file() && d.size() == 3) rows = added;
  if (!is_file() && d.size() == 4)
    rows = builder_.reshape(builder_.transpose(added, {0, 2, 1, 3}), {d[0], d[2], d[1] * d[3]});
  added_.push_back({state.name, uses_.at(state.name), rows, present});
}

void Lowering::output_states() {
  for (const Added& each : added_) {
    if (each.rows) builder_.output(rows_added_to(each.state), each.rows);
  }
  for (const Added& each : added_) {
    if (is_file()) {
      builder_.output_as_it_is(each.present, name_in_file("present", each.use));
    } else if (options_.present) {
      builder_.output_as_it_is(each.present);
    }
  }
}

// A matrix that only products read is turned as they want it; a table may become bytes.
bool Lowering::is_written_by_readers(std::size_t index) const {
  const Value value{static_cast<std::int32_t>(index)};
  for (const Graph::Output& output : graph_.outputs()) {
    if (output.value == value) return false;
  }
  return std::all_of(graph_.nodes().begin(), graph_.nodes().end(), [&](const Node& node) {
    const std::string_view operation = node.operation ? node.operation->name() : "";
    for (std::size_t i = 0; i < node.operands.size(); ++i) {
      const bool is_matrix = (i == 1 && operation.ends_with("linear")) || (i == 2 && operation == "gated_linear") ||
                             (i >= ops::Experts::kFirst && operation == "experts");
      const bool is_table = options_.int8_tables && i % 2 == 0 && operation == "embedding";
      if (node.operands[i] == value && !is_matrix && !is_table) return false;
    }
    return true;
  });
}

Operand Lowering::source(std::size_t index) {
  const Node& node = graph_.nodes()[index];
  if (node.source == Node::Source::input) return input(node);
  if (node.source == Node::Source::table) return table(node);
  if (node.source == Node::Source::state) return state(node);
  return is_written_by_readers(index) ? Operand{} : builder_.weight(weights_.at(node.name));
}

Operand Lowering::product(const Node& node, std::size_t which, const Operand& x, const Operand& bias) {
  OnnxBuilder& b = builder_;
  const Node& matrix = graph_.node(node.operands[which]);
  const Shape shape = x.shape.with_last(matrix.type.shape.dims[0]);
  const bool is_weight = matrix.source == Node::Source::weight;
  const Weight* weight = is_weight ? &weights_.at(matrix.name) : nullptr;
  if (is_weight && options_.int8.contains(node.name)) return add(int8_product(node, *weight, x), bias);
  // A checkpoint may have stored it the other way round: then that is the initializer, and nothing has to turn it.
  const bool turned = is_weight && (options_.transpose_weights || weight->transposed);
  const Operand stored =
      is_weight ? b.weight(*weight, turned) : values_[static_cast<std::size_t>(node.operands[which].id)];
  if (x.shape.rank() == 2) {
    const std::string added = bias ? b.real(bias) : "";
    return real(b.node("Gemm", {b.real(x), b.real(stored), added}, {{"transB", std::int64_t{turned ? 0 : 1}}}), shape);
  }
  const std::string columns = turned ? stored.name : b.transpose(stored, {1, 0}).name;
  return add(real(b.node("MatMul", {b.real(x), columns}), shape), bias);
}

// MatMul also of rows: every ONNX Runtime that joins DequantizeLinear with a product knows that one, not all know Gemm.
Operand Lowering::int8_product(const Node& node, const Weight& weight, const Operand& x) {
  OnnxBuilder& b = builder_;
  const InputNorm norm = input_norm(graph_, node);
  std::string input = b.real(x);
  if (!norm.weight.empty()) {
    input = b.node("Mul", {input, b.initializer(input_factors(weight, weights_, norm)).name});
  }
  const Shape shape = x.shape.with_last(weight.dims[0]);
  if (options_.contrib.product) {
    const Int8Weight blocks = int8_blocks(weight, weights_, norm);
    constexpr std::int64_t kInputsInBytes = 4;  // as ONNX Runtime multiplies what it joins by itself
    return real(b.contrib("MatMulNBits", {input, b.initializer(blocks.steps).name, b.initializer(blocks.scales).name},
                          {{"K", weight.dims[1]},
                           {"N", weight.dims[0]},
                           {"bits", std::int64_t{8}},
                           {"block_size", kInt8Group},
                           {"accuracy_level", kInputsInBytes}}),
                shape);
  }
  const Int8Weight columns = int8_columns(weight, weights_, norm);
  const std::string matrix =
      b.node("DequantizeLinear", {b.initializer(columns.steps).name, b.initializer(columns.scales).name},
             {{"axis", std::int64_t{0}}, {"block_size", kInt8Group}});
  return real(b.node("MatMul", {input, matrix}), shape);
}

Operand Lowering::looked_up(const Node& node, std::size_t which, const Operand& index) {
  OnnxBuilder& b = builder_;
  const Int8Weight table = int8_table(weights_.at(graph_.node(node.operands[which]).name));
  const Operand steps = b.gather(b.initializer(table.steps), index),
                scales = b.gather(b.initializer(table.scales), index);
  return real(
      b.node("DequantizeLinear", {steps.name, scales.name}, {{"axis", std::int64_t{-1}}, {"block_size", kInt8Group}}),
      steps.shape);
}

Operand Lowering::add(const Operand& a, const Operand& b) {
  if (!b) return a;
  return real(builder_.node("Add", {builder_.real(a), builder_.real(b)}), broadcast(a.shape, b.shape));
}

Operand Lowering::primitives(const Make& make, std::span<const Operand> operands) {
  Primitives p("");
  std::vector<Value> sources;
  std::vector<Operand> values;
  for (const Operand& operand : operands) {
    Node node;
    node.source = Node::Source::input;
    node.type = {operand.dtype == DType::i64 ? Element::index : Element::real, operand.shape};
    sources.push_back(operand ? p.source(node) : Value{});
    if (operand) values.push_back(operand);
  }
  const Value made = make(p, sources);
  if (!made) return {};
  const Graph graph = p.finish({{"y", made}});
  for (std::size_t i = values.size(); i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (node.source == Node::Source::input) {  // "tokens.mask"
      values.push_back(mask(node.name.substr(0, node.name.rfind('.'))));
      continue;
    }
    std::vector<Operand> inputs;
    for (const Value operand : node.operands) inputs.push_back(values[static_cast<std::size_t>(operand.id)]);
    const auto& primitive = static_cast<const Primitive&>(*node.operation);
    values.push_back(lower_primitive(builder_, primitive, inputs, node.type.shape));
  }
  return values[static_cast<std::size_t>(made.id)];
}

Operand Lowering::lower(const Node& node) {
  const std::string_view operation = node.operation->name();
  const bool pads = options_.ragged == Ragged::rows && !takes_rows(operation);
  std::vector<Operand> operands;
  for (const Value operand : node.operands) {
    operands.push_back(operand ? values_[static_cast<std::size_t>(operand.id)] : Operand{});
    if (!operand || !pads) continue;
    const Shape& shape = graph_.node(operand).type.shape;
    if (shape.ragged) operands.back() = padded(operands.back(), shape.ragged_symbol());
  }
  if (waits_for_norm(node)) {
    sums_[static_cast<std::int32_t>(&node - graph_.nodes().data())] = parts_of_sum(node, operands);
    return {};
  }
  if (const Operand normed = norm_of_sum(node, operands)) return normed;
  const Override override = override_of(operation);
  Operand value = override == nullptr ? Operand{} : override(*this, node, operands);
  if (!value) {
    value = primitives(
        [&](Primitives& p, std::span<const Value> values) { return node.operation->decompose(p, values); }, operands);
  }
  return pads && node.type.shape.ragged ? rows_of(value, node.type.shape.ragged_symbol()) : value;
}

OnnxModel Lowering::run() {
  const auto is_given = [](const Node& node) {
    return node.source == Node::Source::input && node.rule.fill == InputRule::Fill::required;
  };
  const auto is_past = [&](const Node& node) { return is_file() && node.source == Node::Source::state; };
  // Before all else, for they have the sizes that tables are cut to.
  for (std::size_t i = 0; i < values_.size(); ++i) {
    if (is_given(graph_.nodes()[i])) values_[i] = source(i);
  }
  if (is_file() && graph_.keeps_state()) {
    whole_mask();
    for (std::size_t i = 0; i < values_.size(); ++i) {
      if (is_past(graph_.nodes()[i])) values_[i] = source(i);
    }
    builder_.once("size " + kPositions.to_string(), [&] { return Operand{.name = builder_.size(kPast + kTokens)}; });
  }
  for (std::size_t i = 0; i < values_.size(); ++i) {
    const Node& node = graph_.nodes()[i];
    if (is_given(node) || is_past(node)) continue;
    builder_.set_path(node.name);
    values_[i] = node.source == Node::Source::operation ? lower(node) : source(i);
  }
  for (const Graph::Output& output : graph_.outputs()) {
    builder_.output(output.name, values_[static_cast<std::size_t>(output.value.id)]);
  }
  output_states();
  return builder_.finish(graph_.name());
}

OnnxModel to_onnx(const Graph& graph, const Weights& weights, const OnnxOptions& options) {
  if (options.opset < kOldestOpset || options.opset > kNewestOpset) {
    throw Error(ErrorKind::unsupported, "opset " + std::to_string(options.opset) + " is not written, only " +
                                            std::to_string(kOldestOpset) + " to " + std::to_string(kNewestOpset));
  }
  if ((!options.int8.empty() || options.int8_tables) && options.opset < kInt8Opset) {
    throw Error(ErrorKind::unsupported, "weights of 8 bits need opset " + std::to_string(kInt8Opset) +
                                            " or newer, found " + std::to_string(options.opset));
  }
  return Lowering(graph, weights, options).run();
}

}  // namespace accelerate::lowering
