#include "graph/ops/embedding.hpp"

#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {

Attributes Embedding::attributes() const { return scale == 1 ? Attributes{} : Attributes{{"scale", text(scale)}}; }

Type Embedding::infer(Operands operands) const {
  expect(operands.size() >= 2 && operands.size() % 2 == 0, *this, "operands come as pairs of table and index");
  const Type& index = operand(operands, 1, *this, "index");
  const Shape& first = operand(operands, 0, *this, "table").shape;
  expect(first.rank() == 2, *this, "table has shape " + first.to_string() + ", expected [rows, hidden]");
  const Dim hidden = first.last();
  for (std::size_t i = 0; i < operands.size(); i += 2) {
    const Type& table = operand(operands, i, *this, "table");
    const Type& ids = operand(operands, i + 1, *this, "index");
    expect(table.shape.rank() == 2 && table.shape.last() == hidden, *this,
           "table has shape " + table.shape.to_string() + ", expected [rows, " + hidden.to_string() + "]");
    expect(ids.element == Element::index && ids.shape == index.shape, *this,
           "index is " + ids.to_string() + ", expected " + index.to_string());
  }
  Shape shape = index.shape;
  shape.dims.push_back(hidden);
  return {Element::real, shape};
}

Value Embedding::decompose(Primitives& p, std::span<const Value> operands) const {
  Value sum = p.gather(operands[0], operands[1]);
  for (std::size_t i = 2; i < operands.size(); i += 2) sum = p.add(sum, p.gather(operands[i], operands[i + 1]));
  return scale == 1 ? sum : p.multiply(sum, p.constant(scale));
}

Cost Embedding::cost(Operands operands, const Type& result) const {
  const auto tables = static_cast<std::int64_t>(operands.size() / 2);
  const std::int64_t flops = tables - 1 + (scale == 1 ? 0 : 1);
  return {.flops = Dim(flops) * result.shape.elements(), .bytes = Dim(4 * (tables + 1)) * result.shape.elements()};
}

}  // namespace accelerate::ops
