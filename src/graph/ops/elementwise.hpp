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

// Columns begin to end (not included): [..., n] to [..., end - begin].
struct Slice final : Operation {
  std::int64_t begin = 0, end = 0;

  Slice(std::int64_t b, std::int64_t e) : begin(b), end(e) {}
  std::string_view name() const override { return "slice"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
