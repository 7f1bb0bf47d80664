#include "graph/ops/linear.hpp"

#include "graph/ops/expect.hpp"

namespace accelerate::ops {
namespace {

Shape product_shape(const Operation& op, const Type& x, const Type& weight, const char* role) {
  expect(weight.shape.rank() == 2 && x.shape.rank() >= 2 && weight.shape.last() == x.shape.last(), op,
         std::string(role) + " has shape " + weight.shape.to_string() + ", expected [out, " +
             x.shape.last().to_string() + "] for x " + x.shape.to_string());
  return x.shape.with_last(weight.shape.dims[0]);
}

Value product(Primitives& p, Value x, Value weight, Value bias) {
  const Value result = p.matmul(x, p.transpose_last(weight));
  return bias ? p.add(result, bias) : result;
}

}  // namespace

Attributes Linear::attributes() const {
  if (activation == Activation::none) return {};
  return {{"activation", std::string(name_of(activation))}};
}

Type Linear::infer(Operands operands) const {
  const Shape shape =
      product_shape(*this, operand(operands, 0, *this, "x"), operand(operands, 1, *this, "weight"), "weight");
  expect_vector(operands, 2, shape.last(), *this, "bias");
  if (operands.size() > 3 && operands[3] != nullptr) {
    expect(operands[3]->shape == shape, *this,
           "residual has shape " + operands[3]->shape.to_string() + ", expected " + shape.to_string());
  }
  return {Element::real, shape};
}

Value Linear::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value y = apply(p, activation, product(p, operands[0], operands[1], operands[2]));
  return operands[3] ? p.add(y, operands[3]) : y;
}

Cost Linear::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(2) * result.shape.elements() * operands[0]->shape.last(), .bytes = bytes_of(operands, result)};
}

Attributes GatedLinear::attributes() const { return {{"activation", std::string(name_of(activation))}}; }

Type GatedLinear::infer(Operands operands) const {
  const Type& x = operand(operands, 0, *this, "x");
  const Shape shape = product_shape(*this, x, operand(operands, 1, *this, "gate"), "gate");
  const Shape up = product_shape(*this, x, operand(operands, 2, *this, "up"), "up");
  expect(up == shape, *this, "up gives " + up.to_string() + ", gate gives " + shape.to_string());
  expect_vector(operands, 3, shape.last(), *this, "gate bias");
  expect_vector(operands, 4, shape.last(), *this, "up bias");
  return {Element::real, shape};
}

Value GatedLinear::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value gate = apply(p, activation, product(p, operands[0], operands[1], operands[3]));
  return p.multiply(gate, product(p, operands[0], operands[2], operands[4]));
}

Cost GatedLinear::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(4) * result.shape.elements() * operands[0]->shape.last(), .bytes = bytes_of(operands, result)};
}

}  // namespace accelerate::ops
