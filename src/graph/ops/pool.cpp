#include "graph/ops/pool.hpp"

#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {

std::string_view name_of(PoolMode mode) {
  constexpr std::string_view kNames[] = {"mean",          "max",      "first", "last", "mean_sqrt_length",
                                         "weighted_mean", "first_row"};
  return kNames[static_cast<std::size_t>(mode)];
}

Attributes Pool::attributes() const { return {{"mode", std::string(name_of(mode))}}; }

Type Pool::infer(Operands operands) const {
  const Shape& x = operand(operands, 0, *this, "x").shape;
  expect(x.rank() == 3 && x.ragged, *this, "x has shape " + x.to_string() + ", expected [batch, tokens~, n]");
  if (operands.size() > 1 && operands[1] != nullptr) {
    expect(*operands[1] == Type{Element::index, Shape{x.dims[0]}}, *this,
           "skip is " + operands[1]->to_string() + ", expected index [" + x.dims[0].to_string() + "]");
  }
  return {Element::real, Shape{x.dims[0], x.last()}};
}

Value Pool::decompose(Primitives& p, std::span<const Value> operands) const {
  const Value x = operands[0];
  const std::vector<Dim> d = p.shape(x).dims;
  const Value mask = p.reshape(p.mask(std::string(d[1].symbol_name())), {d[0], d[1], 1});
  const Value length = p.sum(mask, 1);
  const Value position = p.reshape(p.iota(0, {d[1]}), {1, d[1], 1});
  // One behind the last row that is seen: before it there may be some that are not.
  const Value end = p.max(p.multiply(mask, p.add(position, p.constant(1))), 1);
  const bool skips = operands.size() > 1 && operands[1];
  const Value skip = skips ? p.reshape(operands[1], {d[0], 1, 1}) : Value{};
  const Value kept = skips ? p.multiply(mask, p.subtract(p.constant(1), p.less(position, skip))) : mask;
  const Value count = skips ? p.maximum(p.sum(kept, 1), p.constant(1e-9)) : length;
  // Sum over tokens of weight * x, [batch, 1, n]; padding has weight 0 but may hold anything, so it is replaced.
  const auto weighted_sum = [&](Value weight) {
    return p.sum(p.multiply(p.select(mask, x, p.constant(0)), weight), 1);
  };
  // The first row of those that `rows` holds, [batch, 1, 1]; 0 where it holds none.
  const auto first_of = [&](Value rows) {
    const Value from_end = p.max(p.multiply(rows, p.subtract(p.size(d[1]), position)), 1);
    return p.multiply(p.max(rows, 1), p.subtract(p.size(d[1]), from_end));
  };
  Value pooled;
  switch (mode) {
    case PoolMode::mean: pooled = p.divide(weighted_sum(kept), count); break;
    case PoolMode::max: pooled = p.max(p.select(kept, x, p.constant(-1e30)), 1); break;
    case PoolMode::first_row: pooled = p.slice(x, 1, 0, 1); break;
    case PoolMode::first: pooled = weighted_sum(p.equal(position, first_of(kept))); break;
    case PoolMode::last: {
      const Value last = p.equal(position, p.subtract(end, p.constant(1)));
      pooled = weighted_sum(skips ? p.multiply(kept, last) : last);
      break;
    }
    case PoolMode::mean_sqrt_length: pooled = p.divide(weighted_sum(kept), p.sqrt(count)); break;
    case PoolMode::weighted_mean: {
      const Value number = p.add(p.subtract(position, first_of(mask)), p.constant(1));
      const Value weight = p.multiply(kept, number);
      const Value sum = p.sum(weight, 1);
      pooled = p.divide(weighted_sum(weight), skips ? p.maximum(sum, p.constant(1e-9)) : sum);
      break;
    }
  }
  return p.reshape(pooled, {d[0], d[2]});
}

Cost Pool::cost(Operands operands, const Type& result) const {
  return {.flops = operands[0]->shape.elements(), .bytes = bytes_of(operands, result)};
}

Type SelectRows::infer(Operands operands) const {
  const Shape& x = operand(operands, 0, *this, "x").shape;
  const Type& item = operand(operands, 1, *this, "item");
  const Type& position = operand(operands, 2, *this, "position");
  expect(x.rank() == 3 && x.ragged, *this, "x has shape " + x.to_string() + ", expected [batch, tokens~, n]");
  expect(item == position && item.element == Element::index && item.shape.rank() == 1, *this,
         "item is " + item.to_string() + ", position is " + position.to_string());
  return {Element::real, Shape{item.shape.dims[0], x.last()}};
}

Value SelectRows::decompose(Primitives& p, std::span<const Value> operands) const {
  const std::vector<Dim> d = p.shape(operands[0]).dims;
  const Value row = p.add(p.multiply(operands[1], p.size(d[1])), operands[2]);
  return p.gather(p.reshape(operands[0], {d[0] * d[1], d[2]}), row);
}

Cost SelectRows::cost(Operands, const Type& result) const {
  return {.flops = 0, .bytes = Dim(8) * result.shape.elements()};
}

}  // namespace accelerate::ops
