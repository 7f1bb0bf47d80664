// Operations on each element alone, and joining of columns.
#pragma once

#include "graph/activation.hpp"
#include "graph/graph.hpp"

namespace accelerate::ops {

// activation(x). Operands: x.
struct Activate final : Operation {
  Activation activation = Activation::none;

  explicit Activate(Activation a) : activation(a) {}
  std::string_view name() const override { return "activate"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// cap * tanh(x / cap): near x where that is small, never beyond the cap (Gemma 2's logits). Operands: x.
struct Softcap final : Operation {
  double cap = 1;

  explicit Softcap(double c) : cap(c) {}
  std::string_view name() const override { return "softcap"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
  // The same of any value.
  static Value apply(Primitives& p, double cap, Value x);
};

// x * factor. Operands: x.
struct Scale final : Operation {
  double factor = 1;

  explicit Scale(double f) : factor(f) {}
  std::string_view name() const override { return "scale"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// a + b, or a * b, of one shape.
struct Combine final : Operation {
  enum class Kind { add, multiply };
  Kind kind = Kind::add;

  explicit Combine(Kind k) : kind(k) {}
  std::string_view name() const override { return kind == Kind::add ? "add" : "multiply"; }
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// Columns of all operands, one after the other: [..., a], [..., b], ... to [..., a + b + ...].
struct Concat final : Operation {
  std::string_view name() const override { return "concat"; }
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// Columns begin to end (not included): [..., n] to [..., end - begin], or to [...] where a single column drops its
// axis.
struct Slice final : Operation {
  std::int64_t begin = 0, end = 0;
  bool drop_axis = false;  // one column: the numbers lie in memory as they do with the axis

  Slice(std::int64_t b, std::int64_t e, bool drop = false) : begin(b), end(e), drop_axis(drop) {}
  std::string_view name() const override { return "slice"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
