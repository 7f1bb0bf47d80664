// Padded tensors and token lists as the rows without padding that graphs take, and rows back as padded tensors.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "graph/feeds.hpp"

namespace accelerate::runtime {

// One text, or one row of padded tensors. The lists of columns have one entry a column, padding included; `kept` says
// which columns the model sees. Lists that the caller did not give are empty.
struct Item {
  std::size_t number = 0;  // among the caller's texts or rows, for errors
  std::vector<std::int64_t> ids, type_ids, position_ids;
  std::vector<std::int64_t> kept;  // increasing; empty: all columns
  // One a kept row: 0 where it is padding that is computed, but that no other row sees. Empty: all are seen.
  std::vector<std::uint8_t> seen;
  std::int64_t prompt_length = 0;  // how many of the first rows that are seen are a prompt that pooling leaves out

  std::int64_t rows() const { return static_cast<std::int64_t>(kept.empty() ? ids.size() : kept.size()); }
  std::int64_t column(std::int64_t row) const { return kept.empty() ? row : kept[static_cast<std::size_t>(row)]; }
  bool sees(std::int64_t row) const { return seen.empty() || seen[static_cast<std::size_t>(row)] != 0; }
};

// A place among an item's kept rows whose logits are wanted.
struct Selected {
  std::int64_t item = 0, row = 0;
};

// Graph::Input::largest_index by name; -1 where there is no such input.
std::int64_t largest_index(const Graph& graph, std::string_view input);

// The inputs that the graph has, missing ones filled in by their rules. Error{invalid_input} naming the input, the
// item, the column, the value and the size of its table when an index does not fit.
Feeds feeds_of(const Graph& graph, std::span<const Item> items, std::span<const Selected> selected = {});

// Items of padded tensors under Transformers' names: input_ids [batch, columns] and, where given, attention_mask,
// token_type_ids, position_ids, all of that shape (the last two also [1, columns], for all items), and prompt_length
// [batch], as i64 or i32, the mask also as boolean. Error{invalid_input} for other types or shapes, a mask that is not
// 0 or 1, a row whose mask has no 1, a name that the graph does not know.
//
// Columns that the mask leaves out are no rows, with two exceptions, where those before the last token are kept unseen:
// the graph reads an item's first row, and the mask leaves out the first column; or tokens have a gap
// between them, and attention or pooling counts how far apart they are. Error{unsupported} where the first row is read,
// but is padding whose window reaches no token: then it depends on how attention is implemented what Transformers
// gives.
std::vector<Item> items_of(const Graph& graph, const NamedTensors& inputs);

// Writes an output of a run over `items` where their numbers say: into `whole` [batch, columns, ...] where `ragged`
// (rows that are not seen are left out), else [batch, ...].
void place_rows(const Tensor& rows, bool ragged, std::span<const Item> items, Tensor& whole);

}  // namespace accelerate::runtime
