#include "text/trie.hpp"

#include <algorithm>

namespace accelerate::text {
namespace {

struct Range {
  std::uint32_t begin, end, depth, node;
};

}  // namespace

void Trie::build(std::vector<std::pair<std::string_view, std::int32_t>> entries) {
  std::stable_sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  units_.assign(1, {0, kNone});
  values_.assign(1, -1);
  // Free units between first_free and the end are tried in order; full stretches are left behind for good.
  std::uint32_t first_free = 1;
  const auto free = [&](std::uint32_t at) { return at >= units_.size() || (at != 0 && units_[at].parent == kNone); };
  std::vector<Range> open{{0, static_cast<std::uint32_t>(entries.size()), 0, kRoot}};
  std::vector<std::pair<unsigned char, std::uint32_t>> children;  // byte, first entry
  while (!open.empty()) {
    const Range range = open.back();
    open.pop_back();
    children.clear();
    for (std::uint32_t i = range.begin; i < range.end; ++i) {
      const auto& [key, value] = entries[i];
      if (key.size() == range.depth) {
        if (range.depth > 0) values_[range.node] = value;
        continue;
      }
      const auto byte = static_cast<unsigned char>(key[range.depth]);
      if (children.empty() || children.back().first != byte) children.emplace_back(byte, i);
    }
    if (children.empty()) continue;

    while (!free(first_free)) ++first_free;
    const unsigned char lowest = children.front().first;
    std::uint32_t base = first_free > lowest ? first_free - lowest : 0;
    std::uint32_t tried = 0;
    while (!std::all_of(children.begin(), children.end(), [&](const auto& c) { return free(base + c.first); })) {
      // A stretch where nothing fits is not searched again and again.
      if (++tried == 64) first_free = std::max(first_free, base + lowest);
      do {
        ++base;
      } while (!free(base + lowest));
    }
    const std::size_t needed = std::size_t{base} + children.back().first + 1;
    if (needed > units_.size()) {
      units_.resize(needed);
      values_.resize(needed, -1);
    }
    units_[range.node].base = base;
    for (std::size_t k = 0; k < children.size(); ++k) {
      const std::uint32_t child = base + children[k].first;
      units_[child].parent = range.node;
      const std::uint32_t end = k + 1 < children.size() ? children[k + 1].second : range.end;
      open.push_back({children[k].second, end, range.depth + 1, child});
    }
  }
}

}  // namespace accelerate::text
