// What a model is fed: inputs and masks, tables, states, and positions that a file computes by itself.
#include <algorithm>

#include "graph/ops/attention.hpp"
#include "lowering/lower_primitive.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

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

// The names that Transformers gives the masks of a text's tokens and of its source's.
std::string mask_name(const std::string& symbol) {
  if (symbol == "source") return "encoder_attention_mask";
  return symbol == "tokens" ? "attention_mask" : symbol + "_mask";
}

}  // namespace

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

// In its own type, whatever the reals are: frequencies of 16 bits would be others.
Operand Lowering::as_it_is(const std::string& name, Tensor values) {
  return builder_.initializer(
      {.name = name, .dtype = values.dtype(), .dims = values.dims(), .values = std::move(values)});
}

// Of two tables of rows, one for texts up to a limit and one for longer ones, those that this run needs.
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
  if (!is_file()) {
    const bool by_heads = d.size() == 4;
    rows = by_heads ? builder_.reshape(builder_.transpose(added, {0, 2, 1, 3}), {d[0], d[2], d[1] * d[3]}) : added;
  }
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

Operand Lowering::source(std::size_t index) {
  const Node& node = graph_.nodes()[index];
  if (node.source == Node::Source::input) return input(node);
  if (node.source == Node::Source::table) return table(node);
  if (node.source == Node::Source::state) return state(node);
  return is_written_by_readers(index) ? Operand{} : builder_.weight(weights_.at(node.name));
}

}  // namespace accelerate::lowering
