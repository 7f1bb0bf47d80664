// Scaled dot-product attention with heads (Vaswani et al. 2017), with what models vary: which keys a query sees,
// position bias, rotary positions, grouped keys.
#pragma once

#include "graph/graph.hpp"

namespace accelerate::ops {

// softmax(scale * q k^T + bias over the keys that a query sees) v, a head at a time.
//
// Operands: q [batch, tokens~, heads * head_dim], k and v [batch, tokens~, kv_heads * head_dim],
//   relative_bias [2 * tokens - 1, heads] or absent: row (key - query + tokens - 1) is added to the scores; with a past
//   [2 * positions - 1, heads], row (key - query + positions - 1),
//   rotary_cos and rotary_sin [batch, tokens~, rotary_dim / 2] or absent (Su et al. 2021),
//   past_key and past_value [batch, past~, kv_heads * head_dim], states, or absent: rows in front of k and v, which are
//   appended to them, keys as they are turned.
// k and v may be of other tokens than q, [batch, source~, ...], which all queries see: what an encoder gave.
// Result: [batch, tokens~, heads * head_dim]. A query never sees another item's keys, nor padding,
// nor rows that Extents::set_seen() leaves out. Its own position is its row, after the past.
struct Attention final : Operation {
  // Operands in their order.
  enum Index : std::size_t { kQuery, kKey, kValue, kRelativeBias, kCos, kSin, kPastKey, kPastValue };

  // What is kept of earlier runs, in parts of the decomposition.
  struct Past {
    std::string symbol = {};          // of its rows; empty: nothing is kept
    bool padded_before_rows = false;  // as Transformers pads texts; sessions have padding behind an item's rows
  };

  std::int64_t heads = 1;
  std::int64_t kv_heads = 1;  // query head h uses key head h / (heads / kv_heads)
  double scale = 1;
  double softcap = 0;  // scores s become softcap * tanh(s / softcap), before any bias; 0: they stay
  bool causal = false;
  std::int64_t window = -1;         // a query sees keys at most this far away; negative: all
  bool interleaved_rotary = false;  // pairs (0, 1), (2, 3), ... instead of (0, n/2), (1, n/2 + 1), ...

  std::string_view name() const override { return "attention"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;

  // Parts of the decomposition, for lowerings that have an operator for the rest.
  // x [batch, heads, tokens, head_dim] turned by its position, cos and sin [batch, tokens, rotary_dim / 2].
  Value rotate(Primitives& p, Value x, Value cos, Value sin) const;
  // [batch or 1, 1, queries or 1, keys]: 1 where the query sees the key, padding of `symbol` left out; absent where all
  // are seen. The keys are those of the past, where there is one, and then the queries' own.
  Value visible(Primitives& p, const Dim& tokens, const std::string& symbol, const Past& past) const;
  // The relative bias for every pair: [heads, queries, keys].
  // With a past it is [batch, heads, queries, keys].
  Value bias_of_pairs(Primitives& p, Value relative_bias, const Dim& tokens, const Past& past) const;
  // [batch, 1, 1, keys] of keys that are other tokens than the queries: 1 where there is one.
  Value visible_across(Primitives& p, const Dim& keys) const;

 private:
  void expect_past(Operands operands, const Shape& keys) const;
  void expect_across(Operands operands) const;
  Value visible_now(Primitives& p, const Dim& tokens, const std::string& symbol) const;
  Value visible_past(Primitives& p, const Dim& tokens, const Past& past) const;
  static Value distances_of_past(Primitives& p, const Dim& tokens, const Past& past);
};

}  // namespace accelerate::ops
