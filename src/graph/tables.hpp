// Values of a graph's tables, kept from batches gone by: they depend on sizes alone, and batches often repeat them.
#pragma once

#include <algorithm>
#include <cstddef>
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
    const Dims dims = node.type.shape.stored(extents);
    std::vector<Tensor>& known = tables_[node.name];
    const auto found = std::ranges::find_if(known, [&](const Tensor& each) { return each.dims() == dims; });
    return found != known.end() ? *found : known.emplace_back(node.table(extents));
  }

  // Lets go of those that came in too many sizes. Before a run, as what get() gave may be among them.
  void trim() {
    constexpr std::size_t kKept = 8;
    for (auto& [name, known] : tables_) {
      if (known.size() > kKept) known.clear();
    }
  }

 private:
  std::map<std::string, std::vector<Tensor>> tables_;
};

}  // namespace accelerate
