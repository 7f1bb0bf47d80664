// Attention in standard operators around Softmax.
#include "lowering/lower_attention.hpp"

#include <numeric>

namespace accelerate::lowering {

AttentionParts::AttentionParts(Lowering& lowering, const Node& node, std::span<const Operand> operands)
    : lowering_(lowering),
      b_(lowering.builder()),
      op_(static_cast<const ops::Attention&>(*node.operation)),
      operands_(operands),
      batch_(node.type.shape.dims[0]),
      tokens_(node.type.shape.dims[1]),
      keys_(lowering.shape_of(node.operands[Index::kKey]).dims[1]),
      by_rows_(lowering.options().ragged == Ragged::rows && node.type.shape.ragged) {}

ops::Attention::Past AttentionParts::past() const {
  if (!keeps_past()) return {};
  return {.symbol = std::string(operands_[Index::kPastKey].shape.dims[2].symbol_name()),
          .padded_before_rows = lowering_.options().self_contained > 0};
}

Operand AttentionParts::added_to_scores() {
  const std::string key = "scores " + symbol() + " " + keys_.to_string() + " after " + past().symbol +
                          (op_.causal ? " causal" : "") + " window=" + std::to_string(op_.window) + " " +
                          operands_[Index::kRelativeBias].name;
  return b_.once(key, [&]() -> Operand {
    const Operand unseen = unseen_keys();
    const Operand added = operands_[Index::kRelativeBias] ? lowering_.add(position_bias(), unseen) : unseen;
    if (!added || added.shape.rank() == 4) return added;
    std::vector<Dim> dims(4 - added.shape.rank(), Dim(1));
    dims.insert(dims.end(), added.shape.dims.begin(), added.shape.dims.end());
    return b_.reshape(added, dims);
  });
}

Operand AttentionParts::unseen_keys() {
  const Operand seen = lowering_.primitives(
      [&](Primitives& p, std::span<const Value>) {
        return keys_ == tokens_ ? op_.visible(p, tokens_, symbol(), past()) : op_.visible_across(p, keys_);
      },
      {});
  if (!seen) return {};
  const std::string zero = b_.scalar(0, b_.real()), far_below = b_.scalar(unseen_score(), b_.real());
  return lowering_.real(b_.node("Where", {b_.condition(seen), zero, far_below}), seen.shape);
}

// The bias for every pair: [heads, queries, keys].
Operand AttentionParts::position_bias() {
  return lowering_.primitives(
      [&](Primitives& p, std::span<const Value> bias) { return op_.bias_of_pairs(p, bias[0], tokens_, past()); },
      {&operands_[Index::kRelativeBias], 1});
}

namespace {

class StandardAttention : AttentionParts {
 public:
  explicit StandardAttention(const AttentionParts& parts) : AttentionParts(parts) {}

  Operand lower() {
    const Operand heads = turned(heads_of(operands_[Index::kQuery], op_.heads, tokens_));
    const Operand q = in_groups(heads);
    const Operand k = keeps_past() ? after_past(Index::kKey, Index::kPastKey)
                                   : turned(heads_of(operands_[Index::kKey], op_.kv_heads, keys_));
    const Operand v = keeps_past() ? after_past(Index::kValue, Index::kPastValue)
                                   : heads_of(operands_[Index::kValue], op_.kv_heads, keys_);
    const std::string scaled = b_.node("Mul", {b_.real(q), b_.scalar(op_.scale, b_.real())});
    std::string scores = b_.node("MatMul", {scaled, b_.transpose(k, {0, 1, 3, 2}).name});
    if (op_.softcap > 0) {
      const std::string cap = b_.scalar(op_.softcap, b_.real());
      scores = b_.node("Mul", {b_.node("Tanh", {b_.node("Div", {scores, cap})}), cap});
    }
    const Operand added = added_to_groups();
    if (added) scores = b_.node("Add", {scores, added.name});
    const std::string weights = b_.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
    const Operand context = lowering_.real(b_.node("MatMul", {weights, v.name}), q.shape);
    return joined(is_grouped() ? b_.reshape(context, heads.shape.dims) : context);
  }

 private:
  Operand turned(const Operand& x) { return lowering::turned(lowering_, op_, x, rotation()); }

  // A key head stands for several query heads, which lie beside each other: their queries are rows of one product, and
  // no key is copied. [batch, heads, tokens, n] to [batch, kv_heads, group * tokens, n].
  Operand in_groups(const Operand& x) {
    const std::vector<Dim>& d = x.shape.dims;
    return is_grouped() ? b_.reshape(x, {d[0], op_.kv_heads, Dim(group()) * d[2], d[3]}) : x;
  }

  // What is added to scores, to those of a group.
  Operand added_to_groups() {
    const Operand added = added_to_scores();
    if (!added || !is_grouped()) return added;
    if (added.shape.dims[1] == Dim(1) && added.shape.dims[2] == Dim(1)) return added;
    return b_.once("of groups " + std::to_string(group()) + " " + added.name, [&] {
      if (added.shape.dims[1] == Dim(op_.heads)) return in_groups(added);
      const std::vector<std::string> each(static_cast<std::size_t>(group()), added.name);
      Shape shape = added.shape;
      shape.dims[2] = Dim(group()) * tokens_;
      return lowering_.real(b_.node("Concat", each, {{"axis", std::int64_t{2}}}), shape);
    });
  }

  // Keys or values of the past with those of this run behind them, which the state takes as well.
  Operand after_past(Index which, Index state) {
    const Operand rows = lowering_.padded(operands_[which], symbol());
    const Dim head_dim = rows.shape.last().number() / op_.kv_heads;
    const Operand split = b_.reshape(rows, {rows.shape.dims[0], rows.shape.dims[1], op_.kv_heads, head_dim});
    Operand now = b_.transpose(split, {0, 2, 1, 3});
    if (which == Index::kKey) now = turned(now);
    const std::vector<Dim> d = now.shape.dims;
    const Operand& before = operands_[state];
    const std::string joint = b_.node("Concat", {b_.real(before), b_.real(now)}, {{"axis", std::int64_t{2}}});
    const Operand all = lowering_.real(joint, Shape{d[0], d[1], before.shape.dims[2] + d[2], d[3]});
    lowering_.append_to(before, now, all);
    return all;
  }

  // [batch, heads, tokens, d]
  Operand heads_of(const Operand& given, std::int64_t heads, const Dim& tokens) {
    const Operand x = lowering_.real(b_.real(given), given.shape);  // an encoder's may be inputs, which are f32
    const std::int64_t head_dim = x.shape.last().number() / heads;
    if (by_rows_) {
      // One copy puts rows at their places and heads apart: no dearer than the Transpose that padded values need.
      const Dim rows = x.shape.dims[0] * Dim(heads);
      return b_.gather(b_.reshape(x, {rows, head_dim}), head_row_of_place(heads, tokens));
    }
    return b_.transpose(b_.reshape(x, {batch_, tokens, heads, head_dim}), {0, 2, 1, 3});
  }

  // Of rows cut into their heads, which one lies at each place: [batch, heads, tokens].
  Operand head_row_of_place(std::int64_t heads, const Dim& tokens) {
    const std::string symbol(tokens.symbol_name());
    return b_.once("head rows " + symbol + " " + std::to_string(heads), [&] {
      const Operand row = b_.reshape(lowering_.row_of_place(symbol), {batch_, 1, tokens});
      const Operand head = b_.constant_indices(counted(heads), {1, heads, 1});
      const std::string first = b_.node("Mul", {row.name, b_.scalar(static_cast<double>(heads), DType::i64)});
      return Operand{
          .name = b_.node("Add", {first, head.name}), .dtype = DType::i64, .shape = Shape{batch_, heads, tokens}};
    });
  }

  static std::vector<std::int64_t> counted(std::int64_t n) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(n));
    std::iota(numbers.begin(), numbers.end(), 0);
    return numbers;
  }

  // [batch, heads, tokens, d] to rows, or to [batch, tokens, heads * d]
  Operand joined(const Operand& context) {
    const Dim head_dim = context.shape.last(), width = head_dim * Dim(op_.heads);
    if (!by_rows_) return b_.reshape(b_.transpose(context, {0, 2, 1, 3}), {batch_, tokens_, width});
    const Operand places = b_.reshape(context, {batch_ * Dim(op_.heads) * tokens_, head_dim});
    const Operand rows = b_.gather(places, head_place_of_row());
    return b_.reshape(rows, {rows.shape.dims[0], width});
  }

  // Of places apart by heads, those of each row: [rows, heads]. Place b * tokens + t is (b * heads + h) * tokens + t.
  Operand head_place_of_row() {
    return b_.once("head places " + symbol() + " " + std::to_string(op_.heads), [&] {
      const Operand place = lowering_.place_of_row(symbol());
      const std::string tokens = b_.size(tokens_), between = b_.size(tokens_ * Dim(op_.heads - 1));
      const std::string item = b_.node("Div", {place.name, tokens});
      const Operand first{.name = b_.node("Add", {place.name, b_.node("Mul", {item, between})}),
                          .dtype = DType::i64,
                          .shape = place.shape};
      const Operand heads = b_.constant_indices(counted(op_.heads), {1, op_.heads});
      const std::string head = b_.node("Mul", {heads.name, tokens});
      return Operand{.name = b_.node("Add", {b_.reshape(first, {place.shape.dims[0], 1}).name, head}),
                     .dtype = DType::i64,
                     .shape = Shape{place.shape.dims[0], op_.heads}};
    });
  }
};

}  // namespace

Operand lower_attention(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  const AttentionParts parts(lowering, node, operands);
  const Operand joined = lower_contrib_attention(parts);
  return joined ? joined : StandardAttention(parts).lower();
}

}  // namespace accelerate::lowering
