// A batch cut into parts that run by themselves: a thread takes a few sequences through the whole network, so that what
// it writes stays in its own cache and no thread waits for another between two operations.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace accelerate::cpu {

struct Part {
  std::int64_t first_item = 0, items = 0;
  std::int64_t first_row = 0, rows = 0;
};

// The ragged symbol ("tokens") of a graph whose inputs and outputs all belong to items; empty: it must run whole.
std::string ragged_symbol_of(const Graph& graph);

// Parts in the order of the items, together all of them; one part where cutting would not pay: too few rows, or items
// that cannot be shared out evenly.
std::vector<Part> cut(const Extents& extents, const std::string& symbol, int threads);

// The sizes that a part alone has.
Extents extents_of(const Extents& whole, const std::string& symbol, const Part& part);

}  // namespace accelerate::cpu
