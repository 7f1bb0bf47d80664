#include "graph/ops/rotary.hpp"

#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {

Attributes RotaryFactor::attributes() const { return {{"wave", wave == Wave::cos ? "cos" : "sin"}}; }

Type RotaryFactor::infer(Operands operands) const {
  const Type& positions = operand(operands, 0, *this, "positions");
  const Type& frequencies = operand(operands, 1, *this, "frequencies");
  expect(positions.element == Element::index && positions.shape.rank() == 2, *this,
         "positions are " + positions.to_string());
  expect(frequencies.shape.rank() == 2 && frequencies.shape.dims[0] == Dim(2), *this,
         "frequencies have shape " + frequencies.shape.to_string() + ", expected [2, any]");
  Shape shape = positions.shape;
  shape.dims.push_back(frequencies.shape.last());
  return {Element::real, std::move(shape)};
}

Value RotaryFactor::decompose(Primitives& p, std::span<const Value> operands) const {
  const std::vector<Dim> dims = p.shape(operands[0]).dims;
  const Value position = p.reshape(operands[0], {dims[0], dims[1], 1});
  const auto row = [&](std::int64_t index) { return p.slice(operands[1], 0, index, index + 1); };
  const Value angle = p.multiply(row(0), position);
  return p.multiply(wave == Wave::cos ? p.cos(angle) : p.sin(angle), row(1));
}

// A sine is about 20 operations.
Cost RotaryFactor::cost(Operands operands, const Type& result) const {
  return {.flops = Dim(20) * result.shape.elements(), .bytes = bytes_of(operands, result)};
}

}  // namespace accelerate::ops
