// What both lowerings of attention read: in standard operators (lower_attention.cpp), and in ONNX Runtime's own
// (lower_contrib_attention.cpp).
#pragma once

#include "graph/ops/attention.hpp"
#include "lowering/lower_rotary.hpp"

namespace accelerate::lowering {

class AttentionParts {
 public:
  AttentionParts(Lowering& lowering, const Node& node, std::span<const Operand> operands);

 protected:
  using Index = ops::Attention::Index;

  std::string symbol() const { return std::string(tokens_.symbol_name()); }
  bool keeps_past() const { return operands_.size() > Index::kPastKey; }
  std::int64_t group() const { return op_.heads / op_.kv_heads; }
  bool is_grouped() const { return group() > 1; }
  ops::Attention::Past past() const;
  Rotation rotation() const { return {operands_[Index::kCos], operands_[Index::kSin], symbol()}; }
  // What is added to scores: bias of positions, and far below any score where a key is not seen;
  // [batch or 1, heads or 1, queries or 1, keys], nothing where there is neither.
  Operand added_to_scores();
  // Far below any score, and a number, so that rows of padding, which nobody reads, do not become NaN.
  // In f16 with room for a score beside it.
  double unseen_score() const { return b_.real() == DType::f16 ? -32768 : -1e30; }

  Lowering& lowering_;
  OnnxBuilder& b_;
  const ops::Attention& op_;
  std::span<const Operand> operands_;
  Dim batch_, tokens_, keys_;
  bool by_rows_;

 private:
  Operand unseen_keys();
  Operand position_bias();
};

// Nothing: not one of the runtime's own with these options.
Operand lower_contrib_attention(const AttentionParts& parts);

}  // namespace accelerate::lowering
