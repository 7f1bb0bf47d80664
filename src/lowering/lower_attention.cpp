// Attention in standard operators around Softmax. ONNX Runtime's MultiHeadAttention measured slower on its CPU than
// what this becomes there.
#include "graph/ops/attention.hpp"
#include "lowering/lower_rotary.hpp"

namespace accelerate::lowering {
namespace {

using Index = ops::Attention::Index;

// What is added to scores of keys that are not seen: far below any score, and a number, so that rows of padding, which
// nobody reads, do not become NaN.
double unseen_score(DType real) { return real == DType::f16 ? -65504 : -1e30; }

class Attention {
 public:
  Attention(Lowering& lowering, const Node& node, std::span<const Operand> operands)
      : lowering_(lowering),
        b_(lowering.builder()),
        op_(static_cast<const ops::Attention&>(*node.operation)),
        operands_(operands),
        batch_(node.type.shape.dims[0]),
        tokens_(node.type.shape.dims[1]),
        keys_(lowering.shape_of(node.operands[Index::kKey]).dims[1]),
        by_rows_(lowering.options().ragged == Ragged::rows && node.type.shape.ragged) {}

  Operand lower() {
    const Operand q = turned(heads_of(operands_[Index::kQuery], op_.heads, tokens_));
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
    const std::string added = added_to_scores();
    if (!added.empty()) scores = b_.node("Add", {scores, added});
    const std::string weights = b_.node("Softmax", {scores}, {{"axis", std::int64_t{-1}}});
    return joined(lowering_.real(b_.node("MatMul", {weights, v.name}), q.shape));
  }

 private:
  std::string symbol() const { return std::string(tokens_.symbol_name()); }
  bool keeps_past() const { return operands_.size() > Index::kPastKey; }
  ops::Attention::Past past() const {
    if (!keeps_past()) return {};
    return {.symbol = std::string(operands_[Index::kPastKey].shape.dims[2].symbol_name()),
            .padded_before_rows = lowering_.options().self_contained > 0};
  }
  Operand turned(const Operand& x) {
    return lowering::turned(lowering_, op_, x, {operands_[Index::kCos], operands_[Index::kSin], symbol()});
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
    return repeated(all);
  }

  // [batch, heads, tokens, d]; a key head stands for several query heads.
  Operand heads_of(const Operand& given, std::int64_t heads, const Dim& tokens) {
    const Operand x = lowering_.real(b_.real(given), given.shape);  // an encoder's may be inputs, which are f32
    const std::int64_t head_dim = x.shape.last().number() / heads;
    if (by_rows_) {
      // One copy puts rows at their places and heads apart: no dearer than the Transpose that padded values need.
      const Dim rows = x.shape.dims[0] * Dim(heads);
      return b_.gather(b_.reshape(x, {rows, head_dim}), head_row_of_place(heads, tokens));
    }
    return repeated(b_.transpose(b_.reshape(x, {batch_, tokens, heads, head_dim}), {0, 2, 1, 3}));
  }

  Operand repeated(const Operand& x) {
    const std::vector<Dim> d = x.shape.dims;
    const Dim group = op_.heads / d[1].number();
    if (group == Dim(1)) return x;
    const std::vector<Dim> spread{d[0], d[1], group, d[2], d[3]};
    const Operand apart = b_.reshape(x, {d[0], d[1], 1, d[2], d[3]});
    return b_.reshape(lowering_.real(b_.node("Expand", {apart.name, b_.sizes(spread)}), Shape(spread)),
                      {d[0], d[1] * group, d[2], d[3]});
  }

  // Of rows cut into their heads, which one lies at each place: [batch, heads, tokens].
  Operand head_row_of_place(std::int64_t heads, const Dim& tokens) {
    const std::string symbol(tokens.symbol_name());
    return b_.once("head rows " + symbol + " " + std::to_string(heads), [&] {
      const Operand row = b_.reshape(lowering_.row_of_place(symbol), {batch_, 1, tokens});
      std::vector<std::int64_t> head_of_query;
      for (std::int64_t h = 0; h < op_.heads; ++h) head_of_query.push_back(h * heads / op_.heads);
      const Operand head = b_.constant_indices(head_of_query, {1, op_.heads, 1});
      const std::string first = b_.node("Mul", {row.name, b_.scalar(static_cast<double>(heads), DType::i64)});
      return Operand{
          .name = b_.node("Add", {first, head.name}), .dtype = DType::i64, .shape = Shape{batch_, op_.heads, tokens}};
    });
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
      std::vector<std::int64_t> heads;
      for (std::int64_t h = 0; h < op_.heads; ++h) heads.push_back(h);
      const std::string head = b_.node("Mul", {b_.constant_indices(heads, {1, op_.heads}).name, tokens});
      return Operand{.name = b_.node("Add", {b_.reshape(first, {place.shape.dims[0], 1}).name, head}),
                     .dtype = DType::i64,
                     .shape = Shape{place.shape.dims[0], op_.heads}};
    });
  }

  // [batch or 1, heads or 1, queries or 1, keys]: bias of positions, and far below any score where a key is not seen;
  // nothing where there is neither.
  std::string added_to_scores() {
    const std::string key = "scores " + symbol() + " " + keys_.to_string() + " after " + past().symbol +
                            (op_.causal ? " causal" : "") + " window=" + std::to_string(op_.window) + " " +
                            operands_[Index::kRelativeBias].name;
    return b_
        .once(key,
              [&]() -> Operand {
                const Operand unseen = unseen_keys();
                return operands_[Index::kRelativeBias] ? lowering_.add(position_bias(), unseen) : unseen;
              })
        .name;
  }

  Operand unseen_keys() {
    const Operand seen = lowering_.primitives(
        [&](Primitives& p, std::span<const Value>) {
          return keys_ == tokens_ ? op_.visible(p, tokens_, symbol(), past()) : op_.visible_across(p, keys_);
        },
        {});
    if (!seen) return {};
    const std::string zero = b_.scalar(0, b_.real()), far_below = b_.scalar(unseen_score(b_.real()), b_.real());
    return lowering_.real(b_.node("Where", {b_.condition(seen), zero, far_below}), seen.shape);
  }

  // The bias for every pair: [heads, queries, keys].
  Operand position_bias() {
    return lowering_.primitives(
        [&](Primitives& p, std::span<const Value> bias) { return op_.bias_of_pairs(p, bias[0], tokens_, past()); },
        {&operands_[Index::kRelativeBias], 1});
  }

  Lowering& lowering_;
  OnnxBuilder& b_;
  const ops::Attention& op_;
  std::span<const Operand> operands_;
  Dim batch_, tokens_, keys_;
  bool by_rows_;
};

}  // namespace

Operand lower_attention(Lowering& lowering, const Node& node, std::span<const Operand> operands) {
  return Attention(lowering, node, operands).lower();
}

}  // namespace accelerate::lowering
