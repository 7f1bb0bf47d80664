#include "backends/lowered_precision.hpp"

#include "lowering/int8.hpp"

namespace accelerate {

void require_state(const Graph& graph, const CompileOptions& options, const std::string& where) {
  if (options.state == DType::f32 || !graph.keeps_state()) return;
  throw Error(ErrorKind::unsupported,
              "keys and values are not kept in " + std::string(name_of(options.state)) + " there, only in f32", where,
              "the device cpu keeps them in bf16 and f16 too");
}

std::set<std::string> products_in_int8(const Graph& graph, const Precisions& precisions) {
  std::set<std::string> paths;
  for (const std::string& path : lowering::int8_products(graph)) {
    if (precisions.of(path) == Precision::int8) paths.insert(path);
  }
  return paths;
}

}  // namespace accelerate
