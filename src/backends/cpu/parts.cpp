#include "backends/cpu/parts.hpp"

#include <algorithm>

#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

// Rows of one part: a block of rows for the products, and small enough for the second-level cache.
constexpr std::int64_t kRows = 128;
// Below these a thread is slowed down by reading the weights, which it then does not share.
constexpr std::int64_t kLeastRows = 48;
// Of the threads' time; else operations are shared out instead.
constexpr double kLeastUse = 0.88;

bool belongs_to_items(const Shape& shape) {
  if (shape.rank() == 0 || !(shape.dims[0] == kBatch)) return false;
  const std::size_t first = shape.ragged ? 2 : 1;
  return std::all_of(shape.dims.begin() + static_cast<std::ptrdiff_t>(first), shape.dims.end(),
                     [](const Dim& dim) { return dim.is_number(); });
}

// Neighbouring items, about `target` rows together; never so few that their numbers would be others than in one run.
std::vector<Part> parts_of_about(const std::vector<std::int64_t>& lengths, std::int64_t target) {
  std::vector<Part> parts;
  Part part;
  for (const std::int64_t length : lengths) {
    if (part.rows >= detail::kLeastShared && part.rows + length / 2 > target) {
      parts.push_back(part);
      part = {part.first_item + part.items, 0, part.first_row + part.rows, 0};
    }
    ++part.items;
    part.rows += length;
  }
  if (parts.empty() || part.rows >= detail::kLeastShared) {
    parts.push_back(part);
  } else {
    parts.back().items += part.items;
    parts.back().rows += part.rows;
  }
  return parts;
}

// The share of their time that the threads work, each taking the next part when it is done with one.
double use_of(const std::vector<Part>& parts, int threads) {
  std::vector<std::int64_t> busy(static_cast<std::size_t>(threads), 0);
  std::int64_t total = 0;
  for (const Part& part : parts) {
    *std::min_element(busy.begin(), busy.end()) += part.rows;
    total += part.rows;
  }
  return static_cast<double>(total) / (threads * static_cast<double>(*std::max_element(busy.begin(), busy.end())));
}

}  // namespace

std::string ragged_symbol_of(const Graph& graph) {
  std::string symbol;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input) continue;
    if (!belongs_to_items(node.type.shape)) return {};
    if (!node.type.shape.ragged) continue;
    const std::string own = node.type.shape.ragged_symbol();
    if (!symbol.empty() && own != symbol) return {};
    symbol = own;
  }
  for (const Graph::Output& output : graph.outputs()) {
    if (!belongs_to_items(graph.node(output.value).type.shape)) return {};
  }
  return symbol;
}

std::vector<Part> cut(const Extents& extents, const std::string& symbol, int threads) {
  const std::vector<std::int64_t>& lengths = extents.lengths(symbol);
  const std::int64_t rows = extents.offsets(symbol).back();
  const std::vector<Part> whole = {{0, static_cast<std::int64_t>(lengths.size()), 0, rows}};
  if (lengths.size() < 2) return whole;
  const std::int64_t rounds = detail::divide_up(rows, threads * kRows);
  const std::int64_t target = detail::divide_up(rows, threads * rounds);
  if (target < kLeastRows) return whole;
  std::vector<Part> parts = parts_of_about(lengths, target);
  return use_of(parts, threads) >= kLeastUse ? parts : whole;
}

Extents extents_of(const Extents& whole, const std::string& symbol, const Part& part) {
  const std::vector<std::int64_t>& lengths = whole.lengths(symbol);
  const auto first = lengths.begin() + part.first_item;
  Extents extents;
  extents.set_ragged(symbol, {first, first + part.items});
  const auto seen = whole.seen(symbol);
  if (!seen.empty()) {
    const auto rows = seen.subspan(static_cast<std::size_t>(part.first_row), static_cast<std::size_t>(part.rows));
    extents.set_seen(symbol, {rows.begin(), rows.end()});
  }
  return extents;
}

}  // namespace accelerate::cpu
