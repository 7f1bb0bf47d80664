// Mixtures of experts: feed forwards of which each row uses a few (Shazeer et al. 2017).
#pragma once

#include "graph/activation.hpp"
#include "graph/graph.hpp"

namespace accelerate::ops {

// The sum over the `chosen` experts that a row scores highest, the first of those with equal scores, of
// p * (activation(x gate^T) * (x up^T)) down^T; p is a softmax over the scores of the chosen (Jiang et al. 2024).
//
// Operands: x [..., n], scores [..., experts], then for each expert gate [m, n], up [m, n] and down [n, m].
// Result: [..., n].
struct Experts final : Operation {
  static constexpr std::size_t kFirst = 2, kMatrices = 3;  // operands: expert 0's gate; matrices of each

  std::int64_t chosen = 1;
  Activation activation = Activation::none;

  Experts(std::int64_t c, Activation a) : chosen(c), activation(a) {}
  std::string_view name() const override { return "experts"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;

  // [..., experts]: what each expert's result is multiplied with, 0 where it is not chosen. A part of the
  // decomposition, for lowerings that have operators for the rest.
  Value shares(Primitives& p, Value scores) const;
};

}  // namespace accelerate::ops
