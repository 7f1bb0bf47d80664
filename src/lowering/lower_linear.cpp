// Tables, linear layers, their activations and norms.
#include <numbers>

#include "graph/ops/elementwise.hpp"
#include "graph/ops/embedding.hpp"
#include "graph/ops/linear.hpp"
#include "graph/ops/norm.hpp"
#include "lowering/int8.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {
namespace {

Operand at(std::span<const Operand> operands, std::size_t index) {
  return index < operands.size() ? operands[index] : Operand{};
}

// The steps in which PyTorch's exporter writes it: runtimes know them and join them again.
std::string gelu(OnnxBuilder& b, const std::string& x) {
  const auto number = [&](double value) { return b.scalar(value, b.real()); };
  const std::string phi = b.node("Add", {b.node("Erf", {b.node("Div", {x, number(std::numbers::sqrt2)})}), number(1)});
  return b.node("Mul", {b.node("Mul", {x, phi}), number(0.5)});
}

}  // namespace

std::string Lowering::factor_of(const ops::RmsNorm& op, const Operand& weight) {
  const std::string stored = builder_.real(weight);
  return op.offset == 0 ? stored : builder_.node("Add", {stored, builder_.scalar(op.offset, builder_.real())});
}

Operand Lowering::product(const Node& node, std::size_t which, const Operand& x, const Operand& bias) {
  OnnxBuilder& b = builder_;
  const Node& matrix = graph_.node(node.operands[which]);
  const Shape shape = x.shape.with_last(matrix.type.shape.dims[0]);
  const bool is_weight = matrix.source == Node::Source::weight;
  const Weight* weight = is_weight ? &weights_.at(matrix.name) : nullptr;
  if (is_weight && options_.int8.contains(node.name)) return add(int8_product(node, *weight, x), bias);
  // A checkpoint may have stored it the other way round: then that is the initializer, and nothing has to turn it.
  const bool turned = is_weight && (options_.transpose_weights || weight->transposed);
  const Operand stored =
      is_weight ? b.weight(*weight, turned) : values_[static_cast<std::size_t>(node.operands[which].id)];
  if (x.shape.rank() == 2) {
    const std::string added = bias ? b.real(bias) : "";
    return real(b.node("Gemm", {b.real(x), b.real(stored), added}, {{"transB", std::int64_t{turned ? 0 : 1}}}), shape);
  }
  const std::string columns = turned ? stored.name : b.transpose(stored, {1, 0}).name;
  return add(real(b.node("MatMul", {b.real(x), columns}), shape), bias);
}

// MatMul also of rows: every ONNX Runtime that joins DequantizeLinear with a product knows that one, not all know Gemm.
Operand Lowering::int8_product(const Node& node, const Weight& weight, const Operand& x) {
  OnnxBuilder& b = builder_;
  const InputNorm norm = input_norm(graph_, node);
  std::string input = b.real(x);
  if (!norm.weight.empty()) {
    input = b.node("Mul", {input, b.initializer(input_factors(weight, weights_, norm)).name});
  }
  const Shape shape = x.shape.with_last(weight.dims[0]);
  if (options_.contrib.product) {
    const Int8Weight blocks = int8_blocks(weight, weights_, norm);
    constexpr std::int64_t kInputsInBytes = 4;  // as ONNX Runtime multiplies what it joins by itself
    return real(b.contrib("MatMulNBits", {input, b.initializer(blocks.steps).name, b.initializer(blocks.scales).name},
                          {{"K", weight.dims[1]},
                           {"N", weight.dims[0]},
                           {"bits", std::int64_t{8}},
                           {"block_size", kInt8Group},
                           {"accuracy_level", kInputsInBytes}}),
                shape);
  }
  const Int8Weight columns = int8_columns(weight, weights_, norm);
  const std::string matrix =
      b.node("DequantizeLinear", {b.initializer(columns.steps).name, b.initializer(columns.scales).name},
             {{"axis", std::int64_t{0}}, {"block_size", kInt8Group}});
  return real(b.node("MatMul", {input, matrix}), shape);
}

Operand Lowering::looked_up(const Node& node, std::size_t which, const Operand& index) {
  OnnxBuilder& b = builder_;
  const Int8Weight table = int8_table(weights_.at(graph_.node(node.operands[which]).name));
  const Operand steps = b.gather(b.initializer(table.steps), index),
                scales = b.gather(b.initializer(table.scales), index);
  return real(
      b.node("DequantizeLinear", {steps.name, scales.name}, {{"axis", std::int64_t{-1}}, {"block_size", kInt8Group}}),
      steps.shape);
}

Operand Lowering::activate(const Operand& x, Activation activation) {
  OnnxBuilder& b = builder_;
  const auto result = [&](std::string name) { return real(std::move(name), x.shape); };
  const std::string input = b.real(x);
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return result(b.node("Relu", {input}));
    case Activation::tanh: return result(b.node("Tanh", {input}));
    case Activation::sigmoid: return result(b.node("Sigmoid", {input}));
    case Activation::silu: return result(b.node("Mul", {input, b.node("Sigmoid", {input})}));
    case Activation::gelu:
      if (options_.contrib.activation) return result(b.contrib("Gelu", {input}));
      return result(b.opset() >= 20 ? b.node("Gelu", {input}) : gelu(b, input));
    case Activation::gelu_tanh:
      if (options_.contrib.activation) return result(b.contrib("FastGelu", {input}));
      if (b.opset() >= 20) return result(b.node("Gelu", {input}, {{"approximate", std::string("tanh")}}));
      break;
    default: break;
  }
  return primitives([&](Primitives& p, std::span<const Value> values) { return apply(p, activation, values[0]); },
                    {&x, 1});
}

// Tables of 8 bits; others by primitives.
Operand lower_embedding(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  if (!lowering.options().int8_tables) return {};
  Operand sum = lowering.looked_up(node, 0, operands[1]);
  for (std::size_t i = 2; i < operands.size(); i += 2) {
    sum = lowering.add(sum, lowering.looked_up(node, i, operands[i + 1]));
  }
  const double scale = static_cast<const ops::Embedding&>(*node.operation).scale;
  if (scale == 1) return sum;
  OnnxBuilder& b = lowering.builder();
  return lowering.real(b.node("Mul", {b.real(sum), b.scalar(scale, b.real())}), sum.shape);
}

Operand lower_linear(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::Linear&>(*node.operation);
  const Operand bias = at(operands, 2), residual = at(operands, 3);
  OnnxBuilder& b = lowering.builder();
  if (lowering.options().contrib.activation && op.activation == Activation::gelu && bias) {
    const Operand product = lowering.product(node, 1, operands[0], {});
    const std::string activated = b.contrib("BiasGelu", {product.name, b.real(bias)});
    return lowering.add(lowering.real(activated, product.shape), residual);
  }
  return lowering.add(lowering.activate(lowering.product(node, 1, operands[0], bias), op.activation), residual);
}

Operand lower_gated_linear(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::GatedLinear&>(*node.operation);
  const Operand gate = lowering.activate(lowering.product(node, 1, operands[0], at(operands, 3)), op.activation);
  const Operand up = lowering.product(node, 2, operands[0], at(operands, 4));
  return lowering.real(lowering.builder().node("Mul", {gate.name, up.name}), gate.shape);
}

Operand lower_layer_norm(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::LayerNorm&>(*node.operation);
  OnnxBuilder& b = lowering.builder();
  const Operand bias = at(operands, 2);
  return lowering.real(
      b.node("LayerNormalization", {b.real(operands[0]), b.real(operands[1]), bias ? b.real(bias) : ""},
             {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(op.epsilon)}}),
      operands[0].shape);
}

Operand lower_rms_norm(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const auto& op = static_cast<const ops::RmsNorm&>(*node.operation);
  OnnxBuilder& b = lowering.builder();
  const bool is_standard = b.opset() >= 23;
  if (!is_standard && !lowering.options().contrib.rms_norm) return {};
  const std::string weight = lowering.factor_of(op, operands[1]);
  const Operand whole = lowering.real(b.real(operands[0]), operands[0].shape);
  std::vector<Dim> apart = whole.shape.dims;
  apart.back() = op.groups;
  apart.emplace_back(whole.shape.last().number() / op.groups);
  const Operand x = op.groups == 1 ? whole : b.reshape(whole, apart);
  // ONNX Runtime's own, which it has under no domain of its own.
  const std::string_view type = is_standard ? "RMSNormalization" : "SimplifiedLayerNormalization";
  const Operand y = lowering.real(
      b.node(type, {x.name, weight}, {{"axis", std::int64_t{-1}}, {"epsilon", static_cast<float>(op.epsilon)}}),
      x.shape);
  return op.groups == 1 ? y : b.reshape(y, whole.shape.dims);
}

Operand lower_activate(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  return lowering.activate(operands[0], static_cast<const ops::Activate&>(*node.operation).activation);
}

}  // namespace accelerate::lowering
