#include "graph/ops/norm.hpp"

#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {

Attributes LayerNorm::attributes() const { return {{"epsilon", text(epsilon)}}; }

Type LayerNorm::infer(Operands operands) const {
  const Type& x = operand(operands, 0, *this, "x");
  operand(operands, 1, *this, "weight");
  expect_vector(operands, 1, x.shape.last(), *this, "weight");
  expect_vector(operands, 2, x.shape.last(), *this, "bias");
  return x;
}

Value LayerNorm::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value centred = p.subtract(operands[0], p.mean_last(operands[0]));
  const Value variance = p.mean_last(p.multiply(centred, centred));
  const Value scaled = p.divide(centred, p.sqrt(p.add(variance, p.constant(epsilon))));
  const Value weighted = p.multiply(scaled, operands[1]);
  return operands[2] ? p.add(weighted, operands[2]) : weighted;
}

Cost LayerNorm::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(8) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Attributes RmsNorm::attributes() const {
  Attributes result{{"epsilon", text(epsilon)}};
  if (offset != 0) result.emplace_back("offset", text(offset));
  if (groups != 1) result.emplace_back("groups", std::to_string(groups));
  return result;
}

Type RmsNorm::infer(Operands operands) const {
  const Type& x = operand(operands, 0, *this, "x");
  operand(operands, 1, *this, "weight");
  const std::int64_t width = x.shape.last().number();
  expect(groups > 0 && width % groups == 0, *this,
         "x of width " + std::to_string(width) + " does not divide into " + std::to_string(groups) + " groups");
  expect_vector(operands, 1, width / groups, *this, "weight");
  return x;
}

Value RmsNorm::decompose(Primitives& p, std::span<const Value> operands) const {
  const std::vector<Dim> whole = p.shape(operands[0]).dims;
  std::vector<Dim> apart = whole;
  apart.back() = groups;
  apart.emplace_back(whole.back().number() / groups);
  const Value x = groups == 1 ? operands[0] : p.reshape(operands[0], apart);
  const Value mean_square = p.mean_last(p.multiply(x, x));
  const Value weight = offset == 0 ? operands[1] : p.add(operands[1], p.constant(offset));
  const Value y = p.multiply(p.divide(x, p.sqrt(p.add(mean_square, p.constant(epsilon)))), weight);
  return groups == 1 ? y : p.reshape(y, whole);
}

Cost RmsNorm::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(4) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Type Normalize::infer(Operands operands) const { return operand(operands, 0, *this, "x"); }

Value Normalize::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value length = p.sqrt(p.sum(p.multiply(operands[0], operands[0]), -1));
  return p.divide(operands[0], p.maximum(length, p.constant(1e-12)));
}

Cost Normalize::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(3) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

}  // namespace accelerate::ops
