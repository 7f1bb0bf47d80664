// Normalisations over the last dimension.
#pragma once

#include "graph/graph.hpp"

namespace accelerate::ops {

// (x - mean) / sqrt(variance + epsilon) * weight + bias (Ba et al. 2016).
//
// Operands: x [..., n], weight [n], bias [n] or absent.
struct LayerNorm final : Operation {
  double epsilon = 1e-5;

  explicit LayerNorm(double e) : epsilon(e) {}
  std::string_view name() const override { return "layer_norm"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// x / sqrt(mean(x^2) + epsilon) * (weight + offset) (Zhang & Sennrich 2019); Gemma stores weights less 1.
//
// Operands: x [..., groups * n], weight [n]: each group, the head of a query or a key, is normed by itself.
struct RmsNorm final : Operation {
  double epsilon = 1e-6;
  double offset = 0;
  std::int64_t groups = 1;

  explicit RmsNorm(double e, double o = 0, std::int64_t g = 1) : epsilon(e), offset(o), groups(g) {}
  std::string_view name() const override { return "rms_norm"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// x / max(|x|, 1e-12), the length over the last dimension: what makes embeddings unit vectors.
//
// Operands: x [..., n].
struct Normalize final : Operation {
  std::string_view name() const override { return "normalize"; }
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
