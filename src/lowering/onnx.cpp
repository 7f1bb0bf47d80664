#include "lowering/onnx.hpp"

#include <algorithm>

#include "graph/ops/experts.hpp"
#include "lowering/int8.hpp"
#include "lowering/lower_primitive.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

struct OverrideRow {
  std::string_view operation;
  Override lower;
};

constexpr OverrideRow kOverrides[] = {{"embedding", lower_embedding},         {"linear", lower_linear},
                                      {"gated_linear", lower_gated_linear},   {"layer_norm", lower_layer_norm},
                                      {"rms_norm", lower_rms_norm},           {"activate", lower_activate},
                                      {"attention", lower_attention},         {"pool", lower_pool},
                                      {"rotary_factor", lower_rotary_factor}, {"experts", lower_experts}};

Override override_of(std::string_view operation) {
  const auto* found = std::find_if(std::begin(kOverrides), std::end(kOverrides),
                                   [&](const OverrideRow& row) { return row.operation == operation; });
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

// As NumPy broadcasts.
Shape shape_of_sum(const Shape& a, const Shape& b) {
  const Type left{Element::real, a}, right{Element::real, b};
  const Type* both[] = {&left, &right};
  return Primitive(PrimitiveKind::add).infer(both).shape;
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

Operand Lowering::add(const Operand& a, const Operand& b) {
  if (!b) return a;
  return real(builder_.node("Add", {builder_.real(a), builder_.real(b)}), shape_of_sum(a.shape, b.shape));
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
