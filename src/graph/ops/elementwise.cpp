#include "graph/ops/elementwise.hpp"

#include "graph/ops/expect.hpp"

namespace accelerate::ops {

Attributes Activate::attributes() const { return {{"activation", std::string(name_of(activation))}}; }

Type Activate::infer(Operands operands) const { return operand(operands, 0, *this, "x"); }

Value Activate::decompose(Primitives& p, std::span<const Value> operands) const {
  return apply(p, activation, operands[0]);
}

Cost Activate::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(8) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Attributes Softcap::attributes() const { return {{"cap", text(cap)}}; }

Type Softcap::infer(Operands operands) const {
  expect(cap > 0, *this, "the cap is " + text(cap) + ", expected more than 0");
  return operand(operands, 0, *this, "x");
}

Value Softcap::apply(Primitives& p, double cap, Value x) {
  return p.multiply(p.tanh(p.divide(x, p.constant(cap))), p.constant(cap));
}

Value Softcap::decompose(Primitives& p, std::span<const Value> operands) const { return apply(p, cap, operands[0]); }

Cost Softcap::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(8) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Attributes Scale::attributes() const { return {{"factor", text(factor)}}; }

Type Scale::infer(Operands operands) const { return operand(operands, 0, *this, "x"); }

Value Scale::decompose(Primitives& p, std::span<const Value> operands) const {
  return p.multiply(operands[0], p.constant(factor));
}

Cost Scale::cost(Operands operands, const Type& result) const {
  return {.flops = result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Type Combine::infer(Operands operands) const {
  const Type& a = operand(operands, 0, *this, "a");
  const Type& b = operand(operands, 1, *this, "b");
  expect(a == b, *this, "a is " + a.to_string() + ", b is " + b.to_string());
  return a;
}

Value Combine::decompose(Primitives& p, std::span<const Value> operands) const {
  return kind == Kind::add ? p.add(operands[0], operands[1]) : p.multiply(operands[0], operands[1]);
}

Cost Combine::cost(Operands operands, const Type& result) const {
  return {.flops = result.shape.elements(), .bytes = bytes_of(operands, result)};
}

Type Concat::infer(Operands operands) const {
  Type type = operand(operands, 0, *this, "first part");
  for (std::size_t i = 1; i < operands.size(); ++i) {
    const Type& part = operand(operands, i, *this, "part");
    expect(part.shape.with_last(type.shape.last()) == type.shape, *this,
           "part has shape " + part.shape.to_string() + ", the first " + operands[0]->shape.to_string());
    type.shape.dims.back() += part.shape.last();
  }
  return type;
}

Value Concat::decompose(Primitives& p, std::span<const Value> operands) const { return p.concat(operands, -1); }

Cost Concat::cost(Operands operands, const Type& result) const {
  return {.flops = 0, .bytes = bytes_of(operands, result)};
}

Attributes Slice::attributes() const {
  Attributes result{{"begin", std::to_string(begin)}, {"end", std::to_string(end)}};
  if (drop_axis) result.emplace_back("drop_axis", "true");
  return result;
}

Type Slice::infer(Operands operands) const {
  Type type = operand(operands, 0, *this, "x");
  expect(begin >= 0 && begin < end && end <= type.shape.last().number(), *this,
         "columns " + std::to_string(begin) + " to " + std::to_string(end) + " of " + type.shape.to_string());
  expect(!drop_axis || (end - begin == 1 && type.shape.rank() > 1), *this,
         "only one column of a matrix can drop its axis, not " + std::to_string(end - begin) + " of " +
             type.shape.to_string());
  type.shape.dims.back() = end - begin;
  if (drop_axis) type.shape.dims.pop_back();
  return type;
}

Value Slice::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value columns = p.slice(operands[0], -1, begin, end);
  if (!drop_axis) return columns;
  std::vector<Dim> sizes = p.shape(columns).dims;
  sizes.pop_back();
  return p.reshape(columns, std::move(sizes));
}

Cost Slice::cost(Operands, const Type& result) const { return {.flops = 0, .bytes = Dim(8) * result.shape.elements()}; }

}  // namespace accelerate::ops
