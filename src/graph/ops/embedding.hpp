// Embedding lookup: rows of one or more tables, summed. Where several tables describe one token (word, type,
// position), one operation reads them all.
#pragma once

#include "graph/graph.hpp"

namespace accelerate::ops {

// Operands: table 0 [vocabulary, hidden], index 0 [batch, tokens~], table 1, index 1, ...
// Result: [batch, tokens~, hidden]; summed in the order of the operands, then times `scale` (Gemma).
struct Embedding final : Operation {
  double scale = 1;

  explicit Embedding(double s = 1) : scale(s) {}
  std::string_view name() const override { return "embedding"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
