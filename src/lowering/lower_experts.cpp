// Mixtures of experts as dense products: every row goes through every expert, and those that it did not choose are
// multiplied with 0. Exact, and as much work as the model had without choosing: standard operators have no product over
// the rows of each expert that every runtime knows.
#include "graph/ops/experts.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {

Operand lower_experts(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::Experts&>(*node.operation);
  OnnxBuilder& b = lowering.builder();
  const Operand& x = operands[0];
  const Operand shares = lowering.primitives(
      [&](Primitives& p, std::span<const Value> scores) { return op.shares(p, scores[0]); }, operands.subspan(1, 1));
  const auto axis = static_cast<std::int64_t>(x.shape.rank()) - 1;
  Operand sum;
  for (std::size_t i = ops::Experts::kFirst; i < node.operands.size(); i += ops::Experts::kMatrices) {
    const auto expert = static_cast<std::int64_t>((i - ops::Experts::kFirst) / ops::Experts::kMatrices);
    const Operand gate = lowering.activate(lowering.product(node, i, x, {}), op.activation);
    const Operand up = lowering.product(node, i + 1, x, {});
    const Operand hidden = lowering.real(b.node("Mul", {gate.name, up.name}), gate.shape);
    const Operand given = lowering.product(node, i + 2, hidden, {});
    const Operand share = b.slice(shares, axis, expert, expert + 1);
    const Operand part = lowering.real(b.node("Mul", {given.name, b.real(share)}), x.shape);
    sum = sum ? lowering.add(sum, part) : part;
  }
  return sum;
}

}  // namespace accelerate::lowering
