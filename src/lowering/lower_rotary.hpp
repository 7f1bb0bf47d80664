// Heads turned by rotary positions, for the lowering of attention.
#pragma once

#include "graph/ops/attention.hpp"
#include "lowering/lowering.hpp"

namespace accelerate::lowering {

struct Rotation {
  Operand cos, sin;    // of the tokens: [batch, tokens, n], or rows of them; absent: nothing turns
  std::string symbol;  // of the tokens
};

// x [batch, heads, tokens, d], each head turned by its token's position.
Operand turned(Lowering& lowering, const ops::Attention& op, const Operand& x, const Rotation& by);
// By ONNX Runtime's own operator, which takes x [batch, tokens, heads * d] too.
Operand turned_by_contrib(Lowering& lowering, const ops::Attention& op, const Operand& x, std::int64_t heads,
                          const Rotation& by);

}  // namespace accelerate::lowering
