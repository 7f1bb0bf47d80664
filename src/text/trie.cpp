#include "text/trie.hpp"

#include <algorithm>

namespace accelerate::text {
namespace {

constexpr std::uint32_t kFewChildren = 6;  // looked through one by one; more (but never all 256) have a table

using Entries = std::vector<std::pair<std::string_view, std::int32_t>>;

// The entries under a node, which share their first `depth` bytes.
struct Range {
  std::uint32_t begin, end, depth;
};

// Orders the entries of a range by their next byte, those that end here first, and keeps the order of equals.
void order_by_byte(Entries& entries, const Range& range, Entries& buffer) {
  const auto place = [&](const auto& entry) {
    return entry.first.size() == range.depth ? 0 : 1 + static_cast<unsigned char>(entry.first[range.depth]);
  };
  constexpr std::uint32_t kInsertion = 12;
  if (range.end - range.begin <= kInsertion) {
    for (std::uint32_t i = range.begin + 1; i < range.end; ++i) {
      const auto entry = entries[i];
      std::uint32_t to = i;
      for (; to > range.begin && place(entries[to - 1]) > place(entry); --to) entries[to] = entries[to - 1];
      entries[to] = entry;
    }
    return;
  }
  std::array<std::uint32_t, 258> starts{};
  for (std::uint32_t i = range.begin; i < range.end; ++i) ++starts[static_cast<std::size_t>(place(entries[i])) + 1];
  for (std::size_t i = 1; i < starts.size(); ++i) starts[i] += starts[i - 1];
  buffer.assign(entries.begin() + range.begin, entries.begin() + range.end);
  for (const auto& entry : buffer) entries[range.begin + starts[static_cast<std::size_t>(place(entry))]++] = entry;
}

}  // namespace

void Trie::add_child(Unit& unit, unsigned char byte) {
  if (unit.count == kFewChildren) {
    tables_.emplace_back().fill(0);
    unit.table = static_cast<std::uint32_t>(tables_.size());
    for (std::uint32_t i = 0; i < unit.count; ++i) {
      tables_.back()[labels_[unit.first + i]] = static_cast<std::uint8_t>(i + 1);
    }
  }
  ++unit.count;
  if (unit.table != 0) tables_[unit.table - 1][byte] = static_cast<std::uint8_t>(unit.count);
  labels_.push_back(byte);
}

void Trie::add_tail(Unit& unit, std::string_view rest, std::int32_t value) {
  unit.count = kTail;
  unit.first = static_cast<std::uint32_t>(tails_.size());
  tails_.insert(tails_.end(), rest.begin(), rest.end());
  tails_.push_back(kTailEnd);
  unsigned char bytes[sizeof value];
  std::memcpy(bytes, &value, sizeof value);
  tails_.insert(tails_.end(), bytes, bytes + sizeof value);
}

void Trie::build(Entries entries) {
  nodes_.assign(1, {});
  labels_.assign(1, 0);
  tables_.clear();
  tails_.clear();
  std::vector<Range> ranges{{0, static_cast<std::uint32_t>(entries.size()), 0}};
  Entries buffer;
  nodes_.reserve(entries.size() * 2);
  labels_.reserve(entries.size() * 2);
  ranges.reserve(entries.size() * 2);
  // Nodes in order of depth; the children of each are appended in one go.
  for (std::size_t node = 0; node < nodes_.size(); ++node) {
    const Range range = ranges[node];
    if (range.end - range.begin > 1) order_by_byte(entries, range, buffer);
    std::uint32_t i = range.begin;
    Unit unit = nodes_[node];
    for (; i < range.end && entries[i].first.size() == range.depth; ++i) {
      if (range.depth > 0) unit.value = entries[i].second;
    }
    if (range.end - i == 1) {
      const std::string_view rest = entries[i].first.substr(range.depth);
      if (rest.find(static_cast<char>(kTailEnd)) == std::string_view::npos) {
        add_tail(unit, rest, entries[i].second);
        nodes_[node] = unit;
        continue;
      }
    }
    unit.first = static_cast<std::uint32_t>(nodes_.size());
    while (i < range.end) {
      const char byte = entries[i].first[range.depth];
      const std::uint32_t begin = i;
      while (i < range.end && entries[i].first[range.depth] == byte) ++i;
      add_child(unit, static_cast<unsigned char>(byte));
      nodes_.emplace_back();
      ranges.push_back({begin, i, range.depth + 1});
    }
    nodes_[node] = unit;
  }
}

}  // namespace accelerate::text
