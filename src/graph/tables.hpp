// Values of a graph's tables, kept from batches gone by: they depend on sizes alone, and batches often repeat them.
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace accelerate {

// Not for two threads at once: each session has its own.
class Tables {
 public:
  // Of a node whose source is a table. Its numbers stay where they are until trim().
  const Tensor& get(const Node& node, const Extents& extents) {
    Dims sizes = node.type.shape.stored(extents);
    for (const Dim& size : node.table_of) sizes.push_back(size.evaluate(extents));
    std::deque<Known>& known = tables_[node.name];
    const auto found = std::ranges::find(known, sizes, &Known::sizes);
    return found != known.end() ? found->values : known.emplace_back(std::move(sizes), node.table(extents)).values;
  }

  // Lets go of those that came in too many sizes. Before a run, as what get() gave may be among them.
  void trim() {
    constexpr std::size_t kKept = 8;
    for (auto& [name, known] : tables_) {
      if (known.size() > kKept) known.clear();
    }
  }

 private:
  struct Known {
    Known(Dims s, Tensor v) : sizes(std::move(s)), values(std::move(v)) {}
    Dims sizes;
    Tensor values;
  };
  std::map<std::string, std::deque<Known>> tables_;
};

}  // namespace accelerate
