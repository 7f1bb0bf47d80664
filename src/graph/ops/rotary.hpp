// Cosines and sines that rotary positions turn heads by (Su et al. 2021).
#pragma once

#include "graph/graph.hpp"

namespace accelerate::ops {

// cos(position * frequency) * magnitude, or sin; the product in f32, as Transformers rounds it.
//
// Operands: positions, index [batch, tokens~]; frequencies [2, n]: row 0 radians a position, row 1 magnitudes.
// Result: [batch, tokens~, n].
struct RotaryFactor final : Operation {
  enum class Wave { cos, sin };
  Wave wave = Wave::cos;

  explicit RotaryFactor(Wave w) : wave(w) {}
  std::string_view name() const override { return "rotary_factor"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
