// Linear layers, with what follows them at once: bias, activation, gate, residual.
#pragma once

#include "graph/activation.hpp"
#include "graph/graph.hpp"

namespace accelerate::ops {

// activation(x weight^T + bias) + residual.
//
// Operands: x [..., in], weight [out, in], bias [out] or absent, residual [..., out] or absent. Result: [..., out].
struct Linear final : Operation {
  Activation activation = Activation::none;

  explicit Linear(Activation a = Activation::none) : activation(a) {}
  std::string_view name() const override { return "linear"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// activation(x gate^T + gate_bias) * (x up^T + up_bias): GeGLU, SwiGLU (Shazeer 2020).
//
// Operands: x [..., in], gate [out, in], up [out, in], gate_bias [out] or absent, up_bias [out] or absent.
struct GatedLinear final : Operation {
  Activation activation = Activation::none;

  explicit GatedLinear(Activation a) : activation(a) {}
  std::string_view name() const override { return "gated_linear"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
