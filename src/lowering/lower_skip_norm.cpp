// A sum and the norm of it as one of ONNX Runtime's own operators. The sum is not written where it stands in the graph:
// it waits for its norm, which gives it to others that read it.
#include <algorithm>

#include "graph/ops/norm.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

constexpr std::size_t kResidual = 3;  // of a linear layer's operands

bool is_sum(const Node& node) {
  const std::string_view operation = node.operation->name();
  if (operation == "add") return true;
  return operation == "linear" && node.operands.size() > kResidual && node.operands[kResidual];
}

bool is_norm(const Node& node) {
  const std::string_view operation = node.operation ? node.operation->name() : "";
  if (operation == "rms_norm") return static_cast<const ops::RmsNorm&>(*node.operation).groups == 1;
  return operation == "layer_norm";
}

}  // namespace

bool Lowering::waits_for_norm(const Node& node) const {
  if (!options_.contrib.skip_norm || !is_sum(node)) return false;
  const Value sum{static_cast<std::int32_t>(&node - graph_.nodes().data())};
  const auto first = std::ranges::find_if(
      graph_.nodes(), [&](const Node& each) { return std::ranges::find(each.operands, sum) != each.operands.end(); });
  return first != graph_.nodes().end() && is_norm(*first) && first->operands[0] == sum;
}

Lowering::Sum Lowering::parts_of_sum(const Node& node, std::span<const Operand> operands) {
  if (node.operation->name() == "add") return {operands[0], operands[1]};
  return {lower_linear(*this, node, operands.first(kResidual)), operands[kResidual]};
}

bool Lowering::is_read_besides_norm(Value sum) const {
  const auto reads = [&](const Node& node) { return std::ranges::count(node.operands, sum); };
  std::ptrdiff_t readers = 0;
  for (const Node& node : graph_.nodes()) readers += reads(node);
  for (const Graph::Output& output : graph_.outputs()) readers += output.value == sum ? 1 : 0;
  return readers > 1;
}

Operand Lowering::norm_of_sum(const Node& node, std::span<const Operand> operands) {
  const auto found = is_norm(node) ? sums_.find(node.operands[0].id) : sums_.end();
  if (found == sums_.end()) return {};
  const Sum sum = found->second;
  sums_.erase(found);
  OnnxBuilder& b = builder_;
  const bool by_root = node.operation->name() == "rms_norm";
  std::vector<std::string> inputs{b.real(sum.a), b.real(sum.b)};
  double epsilon = 0;
  if (by_root) {
    const auto& op = static_cast<const ops::RmsNorm&>(*node.operation);
    inputs.push_back(factor_of(op, operands[1]));
    epsilon = op.epsilon;
  } else {
    inputs.push_back(b.real(operands[1]));
    inputs.push_back(operands.size() > 2 && operands[2] ? b.real(operands[2]) : "");
    epsilon = static_cast<const ops::LayerNorm&>(*node.operation).epsilon;
  }
  std::vector<std::string> more;
  if (is_read_besides_norm(node.operands[0])) more = {"", "", "sum"};
  const auto made = b.contrib(by_root ? "SkipSimplifiedLayerNormalization" : "SkipLayerNormalization",
                              std::move(inputs), {{"epsilon", static_cast<float>(epsilon)}}, more);
  if (!more.empty()) values_[static_cast<std::size_t>(node.operands[0].id)] = real(made.back(), sum.a.shape);
  return real(made.front(), sum.a.shape);
}

}  // namespace accelerate::lowering
