#include "graph/ops/experts.hpp"

#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {
namespace {

enum Index : std::size_t { kInput, kScores };

std::size_t experts_in(std::size_t operands) { return (operands - Experts::kFirst) / Experts::kMatrices; }

void expect_matrix(Operands operands, std::size_t index, const Shape& shape, const Operation& op, const char* role) {
  const Shape& found = operand(operands, index, op, role).shape;
  expect(found == shape, op, std::string(role) + " has shape " + found.to_string() + ", expected " + shape.to_string());
}

}  // namespace

Attributes Experts::attributes() const {
  return {{"chosen", std::to_string(chosen)}, {"activation", std::string(name_of(activation))}};
}

Type Experts::infer(Operands operands) const {
  const Type& x = operand(operands, kInput, *this, "x");
  const Type& scores = operand(operands, kScores, *this, "scores");
  expect(operands.size() > kFirst && (operands.size() - kFirst) % kMatrices == 0, *this,
         "has " + std::to_string(operands.size()) + " operands, expected x, scores and three matrices an expert");
  const auto experts = static_cast<std::int64_t>(experts_in(operands.size()));
  expect(scores.shape == x.shape.with_last(experts), *this,
         "scores have shape " + scores.shape.to_string() + ", expected one for each of " + std::to_string(experts) +
             " experts");
  expect(chosen > 0 && chosen <= experts, *this,
         "chooses " + std::to_string(chosen) + " of " + std::to_string(experts) + " experts");
  const Shape& first = operand(operands, kFirst, *this, "gate").shape;
  expect(first.rank() == 2 && first.last() == x.shape.last(), *this,
         "gate has shape " + first.to_string() + ", expected [any, " + x.shape.last().to_string() + "]");
  for (std::size_t i = kFirst; i < operands.size(); i += kMatrices) {
    expect_matrix(operands, i, first, *this, "gate");
    expect_matrix(operands, i + 1, first, *this, "up");
    expect_matrix(operands, i + 2, Shape{first.last(), first.dims[0]}, *this, "down");
  }
  return x;
}

// An expert is chosen where fewer than `chosen` others come before it: those of higher scores, and of equal ones the
// first.
Value Experts::shares(Primitives& p, Value scores) const {
  const std::vector<Dim> dims = p.shape(scores).dims;
  const Dim& experts = dims.back();
  std::vector<Dim> own = dims, other = dims;
  own.emplace_back(1);
  other.insert(other.end() - 1, Dim(1));
  const Value mine = p.reshape(scores, own), theirs = p.reshape(scores, other);
  const Value first = p.less(p.iota(1, {1, experts}), p.iota(0, {experts, 1}));
  const Value before = p.add(p.less(mine, theirs), p.multiply(p.equal(mine, theirs), first));
  const Value place = p.reshape(p.sum(before, -1), dims);
  const Value raised = p.exp(p.subtract(scores, p.max(scores, -1)));
  const Value kept = p.multiply(raised, p.less(place, p.constant(static_cast<double>(chosen) - 0.5)));
  return p.divide(kept, p.sum(kept, -1));
}

Value Experts::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value x = operands[kInput], weights = shares(p, operands[kScores]);
  Value sum;
  for (std::size_t i = kFirst; i < operands.size(); i += kMatrices) {
    const auto expert = static_cast<std::int64_t>((i - kFirst) / kMatrices);
    const Value gate = apply(p, activation, p.matmul(x, p.transpose_last(operands[i])));
    const Value hidden = p.multiply(gate, p.matmul(x, p.transpose_last(operands[i + 1])));
    const Value given = p.matmul(hidden, p.transpose_last(operands[i + 2]));
    const Value part = p.multiply(given, p.slice(weights, -1, expert, expert + 1));
    sum = sum ? p.add(sum, part) : part;
  }
  return sum;
}

Cost Experts::cost(Operands operands, const Type& result) const {
  const Dim rows = result.shape.rows();
  const Dim one = Dim(6) * operands[kFirst]->shape.elements();  // three products of a row
  return {.flops = rows * (Dim(chosen) * one + Dim(5) * operands[kScores]->shape.last()),
          .bytes = bytes_of(operands, result)};
}

}  // namespace accelerate::ops
