// Pooling that most models have; the other kinds go by their primitives.
#include "graph/ops/pool.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

// One product sums the rows that are seen. Their mean, [batch, n].
Operand mean(Lowering& lowering, const Operand& x, const std::string& symbol) {
  OnnxBuilder& b = lowering.builder();
  const Dim batch = x.shape.dims[0], tokens = x.shape.dims[1], width = x.shape.last();
  const Operand mask = b.reshape(lowering.mask(symbol), {batch, 1, tokens});
  const std::string sum = b.node("MatMul", {b.real(mask), b.real(x)});
  const std::string count = b.node("ReduceSum", {b.real(mask), b.indices({2})}, {{"keepdims", std::int64_t{1}}});
  return b.reshape(lowering.real(b.node("Div", {sum, count}), Shape{batch, 1, width}), {batch, width});
}

}  // namespace

Operand lower_pool(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::Pool&>(*node.operation);
  const bool skips = operands.size() > 1 && operands[1];
  if (op.mode != ops::PoolMode::mean || skips) return {};
  return mean(lowering, operands[0], std::string(operands[0].shape.dims[1].symbol_name()));
}

}  // namespace accelerate::lowering
