#include "backends/lowered_precision.hpp"

#include "lowering/int8.hpp"

namespace accelerate {

std::set<std::string> products_in_int8(const Graph& graph, const Precisions& precisions) {
  std::set<std::string> paths;
  for (const std::string& path : lowering::int8_products(graph)) {
    if (precisions.of(path) == Precision::int8) paths.insert(path);
  }
  return paths;
}

}  // namespace accelerate
