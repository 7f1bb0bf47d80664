// Attention as one of ONNX Runtime's own operators.
#include "lowering/lower_attention.hpp"

namespace accelerate::lowering {
namespace {

// What operators with a past give behind the context.
const std::vector<std::string> kPresent{"key", "value"};

class ContribAttention : AttentionParts {
 public:
  explicit ContribAttention(const AttentionParts& parts) : AttentionParts(parts) {}

  Operand lower() {
    const ContribOperators& contrib = lowering_.options().contrib;
    if (contrib.attention && takes_multi_head()) return multi_head();
    return contrib.group_query && takes_group_query() ? group_query() : Operand{};
  }

 private:
  bool takes_multi_head() const { return !is_grouped() && op_.softcap <= 0; }
  bool takes_group_query() const {
    return keeps_past() && !takes_multi_head() && operands_[Index::kPastKey].shape.last().number() % 8 == 0;
  }

  Operand multi_head() {
    const Operand q = turned_whole(Index::kQuery, op_.heads, tokens_);
    const Operand k = turned_whole(Index::kKey, op_.heads, keys_), v = whole(operands_[Index::kValue], keys_);
    std::vector<OnnxAttribute> attributes{{"num_heads", op_.heads},
                                          {"scale", static_cast<float>(op_.scale)},
                                          {"mask_filter_value", static_cast<float>(unseen_score())}};
    const bool by_mask = op_.window < 0 && !operands_[Index::kRelativeBias];
    if (by_mask && op_.causal) attributes.push_back({"unidirectional", std::int64_t{1}});
    const std::string mask = by_mask ? key_mask() : "", bias = by_mask ? "" : bias_of_scores();
    std::vector<std::string> inputs{q.name, k.name, v.name, "", mask, bias};
    if (!keeps_past()) return rows_of(b_.contrib("MultiHeadAttention", std::move(inputs), std::move(attributes)));
    for (const Index each : {Index::kPastKey, Index::kPastValue}) inputs.push_back(b_.real(operands_[each]));
    return after_past(b_.contrib("MultiHeadAttention", std::move(inputs), std::move(attributes), kPresent), k, v);
  }

  // Puts what a run adds behind the past by itself. It counts tokens of an item, padding among them: which are seen is
  // told by the bias alone.
  Operand group_query() {
    const Operand q = turned_whole(Index::kQuery, op_.heads, tokens_);
    const Operand k = turned_whole(Index::kKey, op_.kv_heads, tokens_), v = whole(operands_[Index::kValue], tokens_);
    const Dim all = operands_[Index::kPastKey].shape.dims[2] + tokens_;
    const std::string total = b_.as(Operand{.size = all}, DType::i32);
    const std::string last = b_.as(Operand{.size = all - Dim(1)}, DType::i32);
    const Operand last_of_items = b_.once("last of items", [&] {
      return Operand{.name = b_.node("Expand", {last, b_.size(batch_)}), .dtype = DType::i32, .shape = Shape{batch_}};
    });
    const std::string past_key = b_.real(operands_[Index::kPastKey]),
                      past_value = b_.real(operands_[Index::kPastValue]);
    return after_past(b_.contrib("GroupQueryAttention",
                                 {q.name, k.name, v.name, past_key, past_value, last_of_items.name, total, "", "", "",
                                  bias_of_scores()},
                                 {{"num_heads", op_.heads},
                                  {"kv_num_heads", op_.kv_heads},
                                  {"scale", static_cast<float>(op_.scale)},
                                  {"softcap", static_cast<float>(op_.softcap)}},
                                 kPresent),
                      k, v);
  }

  // What the runtime's own made of these keys and values, [batch, tokens, kv_heads * d]: the context, and all of both.
  Operand after_past(const std::vector<std::string>& made, const Operand& keys, const Operand& values) {
    Shape all = operands_[Index::kPastKey].shape;
    all.dims[2] = all.dims[2] + tokens_;
    lowering_.append_to(operands_[Index::kPastKey], keys, lowering_.real(made[1], all));
    lowering_.append_to(operands_[Index::kPastValue], values, lowering_.real(made[2], all));
    return rows_of(made[0]);
  }

  // [batch, tokens, heads * d], padded.
  Operand whole(const Operand& given, const Dim& tokens) {
    const Operand x = lowering_.real(b_.real(given), given.shape);
    return by_rows_ ? lowering_.padded(x, std::string(tokens.symbol_name())) : x;
  }
  Operand turned_whole(Index which, std::int64_t heads, const Dim& tokens) {
    return turned_by_contrib(lowering_, op_, whole(operands_[which], tokens), heads, rotation());
  }
  // As the model has its ragged values.
  Operand rows_of(const std::string& context) {
    const Dim width = operands_[Index::kQuery].shape.last();
    const Operand padded = lowering_.real(context, Shape{batch_, tokens_, width});
    return by_rows_ ? lowering_.rows_of(padded, symbol()) : padded;
  }

  // i32 [batch, keys]: 1 where there is one; empty: everywhere.
  std::string key_mask() {
    const std::string keys(keys_.symbol_name());
    if (keys.empty()) return "";
    const Operand now = lowering_.mask(keys);
    if (!keeps_past()) return b_.as(now, DType::i32);
    return b_.as(b_.once("key mask after past",
                         [&] {
                           const std::vector<std::string> both{lowering_.mask(past().symbol).name, now.name};
                           return Operand{.name = b_.node("Concat", both, {{"axis", std::int64_t{1}}}),
                                          .dtype = now.dtype,
                                          .shape = Shape{batch_, operands_[Index::kPastKey].shape.dims[2] + keys_}};
                         }),
                 DType::i32);
  }

  // What is added to scores, for every query: [batch or 1, heads or 1, queries, keys].
  std::string bias_of_scores() {
    const Operand added = added_to_scores();
    if (!added || added.shape.dims[2] == tokens_) return added.name;
    std::vector<Dim> dims = added.shape.dims;
    dims[2] = tokens_;
    return b_
        .once("of queries " + added.name,
              [&] {
                return Operand{.name = b_.node("Expand", {added.name, b_.sizes(dims)})};
              })
        .name;
  }
};

}  // namespace

Operand lower_contrib_attention(const AttentionParts& parts) { return ContribAttention(parts).lower(); }

}  // namespace accelerate::lowering
