#include "runtime/packing.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <optional>

#include "graph/ops/attention.hpp"
#include "graph/ops/pool.hpp"

namespace accelerate::runtime {
namespace {

constexpr std::string_view kKnownInputs[] = {"input_ids", "attention_mask", "token_type_ids", "position_ids",
                                             "prompt_length"};

[[noreturn]] void invalid(std::string_view input, const std::string& message) {
  throw Error(ErrorKind::invalid_input, message, std::string(input));
}

// What the caller gave for an input of the graph: one number a column, or nothing.
const std::vector<std::int64_t>& given(const Item& item, std::string_view input) {
  static const std::vector<std::int64_t> nothing;
  if (input == "input_ids") return item.ids;
  if (input == "token_type_ids") return item.type_ids;
  if (input == "position_ids") return item.position_ids;
  return nothing;
}

std::vector<std::int64_t> made_of_ids(const Node& input, const Item& item) {
  std::vector<std::int64_t> made(item.ids.size(), 0);
  switch (input.rule.fill) {
    case InputRule::Fill::required: invalid(input.name, "is missing, and nothing can stand for it");
    case InputRule::Fill::zeros: break;
    case InputRule::Fill::columns: std::iota(made.begin(), made.end(), 0); break;
    case InputRule::Fill::columns_after_padding: {
      std::int64_t position = input.rule.padding_id;
      for (std::size_t i = 0; i < made.size(); ++i) {
        made[i] = item.ids[i] == input.rule.padding_id ? input.rule.padding_id : ++position;
      }
      break;
    }
    case InputRule::Fill::rows: {
      std::int64_t position = 0;
      for (std::int64_t row = 0; row < item.rows(); ++row) {
        if (item.sees(row)) made[static_cast<std::size_t>(item.column(row))] = position++;
      }
      break;
    }
  }
  return made;
}

// One number a column, before the offset.
std::vector<std::int64_t> filled(const Node& input, const Item& item) {
  const std::vector<std::int64_t>& values = given(item, input.name);
  return values.empty() && !item.ids.empty() ? made_of_ids(input, item) : values;
}

void check_index(const Node& input, std::int64_t value, std::int64_t largest, std::size_t item, std::int64_t column) {
  if (value >= 0 && (largest < 0 || value <= largest)) return;
  const std::string place = "row " + std::to_string(item) + ", column " + std::to_string(column);
  throw Error(ErrorKind::invalid_input,
              place + " is " + std::to_string(value) + ", expected " +
                  (largest < 0 ? "no negative number" : "0 to " + std::to_string(largest)),
              input.name, input.name == "position_ids" ? "the model takes no longer input" : "");
}

Tensor token_feed(const Node& input, std::int64_t largest, std::span<const Item> items, std::int64_t rows) {
  Tensor feed(DType::i64, {rows});
  auto out = feed.as<std::int64_t>().begin();
  for (const Item& item : items) {
    const std::vector<std::int64_t> columns = filled(input, item);
    for (std::int64_t row = 0; row < item.rows(); ++row) {
      const std::int64_t column = item.column(row);
      const std::int64_t value = columns[static_cast<std::size_t>(column)];
      check_index(input, value, largest, item.number, column);
      *out++ = value + input.rule.offset;
    }
  }
  return feed;
}

Tensor item_feed(const Node& input, std::span<const Item> items, std::span<const Selected> selected) {
  std::vector<std::int64_t> values;
  if (input.name == "prompt_length") {
    for (const Item& item : items) {
      std::int64_t before = 0;
      while (item.prompt_length > 0 && !item.sees(before)) ++before;
      values.push_back(std::min(before + item.prompt_length, item.rows()));
    }
  } else if (input.name == "selected.item" || input.name == "selected.position") {
    for (const Selected& place : selected) values.push_back(input.name == "selected.item" ? place.item : place.row);
  } else {
    invalid(input.name, "is an input that nothing is known about");
  }
  return Tensor::of({static_cast<std::int64_t>(values.size())}, values);
}

std::vector<std::int64_t> kept_columns(std::span<const std::int64_t> mask, std::int64_t row) {
  std::vector<std::int64_t> kept;
  for (std::size_t column = 0; column < mask.size(); ++column) {
    if (mask[column] != 0 && mask[column] != 1) {
      invalid("attention_mask", "row " + std::to_string(row) + ", column " + std::to_string(column) + " is " +
                                    std::to_string(mask[column]) + ", expected 0 or 1");
    }
    if (mask[column] == 1) kept.push_back(static_cast<std::int64_t>(column));
  }
  if (kept.empty()) invalid("attention_mask", "row " + std::to_string(row) + " has no 1: nothing to run");
  return kept;
}

// Transformers' tokenizers make token types also for models that have none; all zeros say nothing. Of positions it is
// seen when the mask is known, in check_positions().
bool says_nothing(const std::string& name, const Tensor& values) {
  return name == "position_ids" ||
         (name == "token_type_ids" && std::ranges::all_of(values.as<std::int64_t>(), [](auto v) { return v == 0; }));
}

// What of a graph depends on columns that the mask leaves out.
struct Padding {
  bool distances = false;    // attention or pooling counts how far apart rows are
  bool first_row = false;    // an item's first row is pooled
  std::int64_t window = -1;  // the narrowest; -1: none
};

Padding padding_of(const Graph& graph) {
  Padding padding;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::operation) continue;
    if (node.operation->name() == "pool") {
      const ops::PoolMode mode = static_cast<const ops::Pool&>(*node.operation).mode;
      padding.first_row |= mode == ops::PoolMode::first_row;
      padding.distances |= mode == ops::PoolMode::weighted_mean;
    }
    if (node.operation->name() != "attention") continue;
    const std::int64_t window = static_cast<const ops::Attention&>(*node.operation).window;
    // Rotary positions are an input: they skip what the mask leaves out.
    padding.distances |= window >= 0 || node.operands[ops::Attention::kRelativeBias];
    if (window >= 0) padding.window = padding.window < 0 ? window : std::min(padding.window, window);
  }
  return padding;
}

// Every column up to the last token becomes a row; those that the mask leaves out are not seen.
void keep_unseen(Item& item) {
  const std::vector<std::int64_t> tokens = std::move(item.kept);
  item.kept.resize(static_cast<std::size_t>(tokens.back()) + 1);
  std::iota(item.kept.begin(), item.kept.end(), 0);
  item.seen.assign(item.kept.size(), 0);
  for (const std::int64_t column : tokens) item.seen[static_cast<std::size_t>(column)] = 1;
}

// The mask leaves out a column before the last token.
bool has_gaps(const Item& item) { return !item.kept.empty() && item.kept.back() + 1 != item.rows(); }

void keep_what_counts(Item& item, const Padding& padding) {
  if (item.kept.empty()) return;
  const std::int64_t first = item.kept.front(), between = item.kept.back() - first + 1;
  const bool reads_padding = padding.first_row && first > 0;
  if (reads_padding && padding.window >= 0 && first > padding.window) {
    throw Error(ErrorKind::unsupported,
                "row " + std::to_string(item.number) + " begins with " + std::to_string(first) +
                    " columns of padding; its first column is pooled, but sees no token within its window of " +
                    std::to_string(padding.window),
                "attention_mask", "pad on the right");
  }
  if (reads_padding || (padding.distances && between != item.rows())) keep_unseen(item);
}

// A model without a table of positions takes those that count columns, from wherever they begin: it has them anyway.
void check_positions(const Graph& graph, const Item& item) {
  if (item.position_ids.empty() || graph.find_input("position_ids") != nullptr) return;
  std::optional<std::int64_t> shift;  // of the first token
  for (std::int64_t row = 0; row < item.rows(); ++row) {
    if (!item.sees(row)) continue;
    const std::int64_t column = item.column(row);
    const std::int64_t by = item.position_ids[static_cast<std::size_t>(column)] - column;
    if (by != shift.value_or(by)) invalid("position_ids", "is given, but this model takes none that skip or repeat");
    shift = by;
  }
}

// The values as i64, if they fit.
Tensor checked_input(const Graph& graph, const std::string& name, const Tensor& tensor, const Dims& dims) {
  if (std::ranges::find(kKnownInputs, name) == std::end(kKnownInputs)) {
    invalid(name, "is no input of this model; it takes input_ids, attention_mask, token_type_ids, position_ids");
  }
  const bool yes_or_no = name == "attention_mask" && tensor.dtype() == DType::boolean;
  if (tensor.dtype() != DType::i64 && tensor.dtype() != DType::i32 && !yes_or_no) {
    invalid(name, "has type " + std::string(name_of(tensor.dtype())) + ", expected i64 or i32");
  }
  const Dims expected = name == "prompt_length" ? Dims{dims[0]} : dims;
  const bool one_for_all = name == "position_ids" || name == "token_type_ids";
  if (tensor.dims() != expected && !(one_for_all && tensor.dims() == Dims{1, dims[1]})) {
    invalid(name, "has shape " + to_string(tensor.dims()) + ", expected " + to_string(expected));
  }
  Tensor values = tensor.to(DType::i64);
  const bool used = name == "attention_mask" || name == "prompt_length" || graph.find_input(name) != nullptr;
  if (!used && !says_nothing(name, values)) invalid(name, "is given, but this model takes none");
  return values;
}

void set_input(Item& item, const std::string& name, std::span<const std::int64_t> values) {
  if (name == "input_ids") item.ids.assign(values.begin(), values.end());
  if (name == "token_type_ids") item.type_ids.assign(values.begin(), values.end());
  if (name == "position_ids") item.position_ids.assign(values.begin(), values.end());
  if (name == "attention_mask") item.kept = kept_columns(values, static_cast<std::int64_t>(item.number));
  if (name == "prompt_length") item.prompt_length = values.front();
}

}  // namespace

std::int64_t largest_index(const Graph& graph, std::string_view input) {
  for (const Graph::Input& each : graph.inputs()) {
    if (graph.node(each.value).name == input) return each.largest_index;
  }
  return -1;
}

Feeds feeds_of(const Graph& graph, std::span<const Item> items, std::span<const Selected> selected) {
  Feeds feeds;
  std::vector<std::int64_t> lengths(items.size());
  std::ranges::transform(items, lengths.begin(), &Item::rows);
  const std::int64_t rows = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  feeds.extents.set_ragged("tokens", std::move(lengths));
  if (std::ranges::any_of(items, [](const Item& item) { return !item.seen.empty(); })) {
    std::vector<std::uint8_t> seen;
    for (const Item& item : items) {
      for (std::int64_t row = 0; row < item.rows(); ++row) seen.push_back(item.sees(row) ? 1 : 0);
    }
    feeds.extents.set_seen("tokens", std::move(seen));
  }
  feeds.extents.set("selected", static_cast<std::int64_t>(selected.size()));
  for (const Graph::Input& input : graph.inputs()) {
    const Node& node = graph.node(input.value);
    // Reals are what another graph gave: whoever has that feeds it.
    if (node.type.element == Element::real) continue;
    feeds.tensors[node.name] =
        node.type.shape.ragged ? token_feed(node, input.largest_index, items, rows) : item_feed(node, items, selected);
  }
  return feeds;
}

std::vector<Item> items_of(const Graph& graph, const NamedTensors& inputs) {
  const auto ids = inputs.find("input_ids");
  if (ids == inputs.end()) invalid("input_ids", "is missing");
  const Dims dims = ids->second.dims();
  if (dims.size() != 2) invalid("input_ids", "has shape " + to_string(dims) + ", expected [batch, tokens]");
  if (dims[0] == 0 || dims[1] == 0) invalid("input_ids", "has shape " + to_string(dims) + ": nothing to run");
  std::vector<Item> items(static_cast<std::size_t>(dims[0]));
  for (std::size_t i = 0; i < items.size(); ++i) items[i].number = i;
  for (const auto& [name, tensor] : inputs) {
    const Tensor values = checked_input(graph, name, tensor, dims);
    const auto rows = static_cast<std::size_t>(values.dim(0)), width = values.as<std::int64_t>().size() / rows;
    for (Item& item : items) {
      set_input(item, name, values.as<std::int64_t>().subspan(rows == 1 ? 0 : item.number * width, width));
    }
  }
  const Padding padding = std::ranges::any_of(items, has_gaps) ? padding_of(graph) : Padding{};
  for (Item& item : items) {
    keep_what_counts(item, padding);
    check_positions(graph, item);
  }
  return items;
}

void place_rows(const Tensor& rows, bool ragged, std::span<const Item> items, Tensor& whole) {
  if (rows.elements() == 0) return;
  const std::size_t row_bytes = rows.bytes().size() / static_cast<std::size_t>(rows.dim(0));
  const auto columns = ragged ? static_cast<std::size_t>(whole.dim(1)) : 1;
  const std::byte* from = rows.bytes().data();
  for (const Item& item : items) {
    std::byte* to = whole.bytes().data() + item.number * columns * row_bytes;
    const std::int64_t count = ragged ? item.rows() : 1;
    for (std::int64_t row = 0; row < count; ++row, from += row_bytes) {
      if (ragged && !item.sees(row)) continue;
      const auto column = static_cast<std::size_t>(ragged ? item.column(row) : 0);
      std::memcpy(to + column * row_bytes, from, row_bytes);
    }
  }
}

}  // namespace accelerate::runtime
