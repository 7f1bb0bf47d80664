// Rotary positions: the factors of a run's tokens, and heads turned by them.
#include "lowering/lower_rotary.hpp"

#include "graph/ops/attention.hpp"
#include "graph/ops/rotary.hpp"

namespace accelerate::lowering {

// In f32 whatever the reals are: far positions have no neighbours in 16 bits.
Operand lower_rotary_factor(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  OnnxBuilder& b = lowering.builder();
  const Operand &positions = operands[0], &table = operands[1];
  std::vector<Dim> dims = positions.shape.dims;
  dims.emplace_back(1);
  const Operand column = b.reshape(positions, dims);
  const std::string angle = b.node("Mul", {b.as(column, DType::f32), b.slice(table, 0, 0, 1).name});
  const bool cosine = static_cast<const ops::RotaryFactor&>(*node.operation).wave == ops::RotaryFactor::Wave::cos;
  const std::string wave = b.node(cosine ? "Cos" : "Sin", {angle});
  dims.back() = table.shape.last();
  return {.name = b.node("Mul", {wave, b.slice(table, 0, 1, 2).name}), .dtype = DType::f32, .shape = Shape(dims)};
}

// ONNX Runtime's own operator looks cosines up by position; here each token's are a row of the table.
Operand turned_by_contrib(Lowering& lowering, const ops::Attention& op, const Operand& x, std::int64_t heads,
                          const Rotation& by) {
  if (!by.cos) return x;
  OnnxBuilder& b = lowering.builder();
  const bool are_rows = by.cos.shape.rank() == 2;
  const Dim half = by.cos.shape.last();
  const auto table = [&](const Operand& factors) {
    return b.real(are_rows ? factors : b.reshape(factors, {factors.shape.dims[0] * factors.shape.dims[1], half}));
  };
  const Operand place = are_rows ? lowering.row_of_place(by.symbol) : b.once("places " + by.symbol, [&] {
    return lowering.primitives(
        [&](Primitives& p, std::span<const Value>) {
          const std::vector<Dim>& d = by.cos.shape.dims;
          return p.reshape(p.iota(0, {d[0] * d[1]}), {d[0], d[1]});
        },
        {});
  });
  const std::int64_t rotary_dim = 2 * half.number();
  std::vector<OnnxAttribute> attributes{{"interleaved", std::int64_t{op.interleaved_rotary ? 1 : 0}}};
  const std::int64_t head_dim = x.shape.last().number() / (x.shape.rank() == 4 ? 1 : heads);
  if (head_dim != rotary_dim) {
    attributes.push_back({"num_heads", heads});
    attributes.push_back({"rotary_embedding_dim", rotary_dim});
  }
  return lowering.real(
      b.contrib("RotaryEmbedding", {b.real(x), b.index(place), table(by.cos), table(by.sin)}, std::move(attributes)),
      x.shape);
}

Operand turned(Lowering& lowering, const ops::Attention& op, const Operand& x, const Rotation& by) {
  if (!by.cos) return x;
  if (lowering.options().contrib.rotary) {
    return turned_by_contrib(lowering, op, x, x.shape.dims[1].number(), by);
  }
  const Operand in[] = {x, lowering.padded(by.cos, by.symbol), lowering.padded(by.sin, by.symbol)};
  return lowering.primitives([&](Primitives& p, std::span<const Value> v) { return op.rotate(p, v[0], v[1], v[2]); },
                             in);
}

}  // namespace accelerate::lowering
