// MPNet (Song et al. 2020): BERT with T5's relative position bias, shared by all layers, and RoBERTa's positions.
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

// Fixed in the published code, whatever the config says.
constexpr std::int64_t kPaddingId = 1, kBuckets = 32, kMaxDistance = 128;

class MpNet final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "mpnet"; }
  std::string_view tokenizer_class() const override { return "MPNetTokenizer"; }

  Summary summary(const Config& c) const override {
    Summary s = TextEncoder::summary(c);
    s.max_tokens -= kPaddingId + 1;
    if (s.max_tokens < 1)
      c.fail("max_position_embeddings", "leaves no position after that of padding, expected 3 or more");
    return s;
  }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("mpnet."), names::tied("lm_head.decoder.weight", "embeddings.word_embeddings.weight"),
                   names::alternative("lm_head.decoder.bias", "lm_head.bias")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    const Value embedded = embed(b, c);
    const auto scope = b.scope("encoder");
    const Value bias = relative_bias(b, sizes);
    return stack(b, "layer", sizes.layers, embedded,
                 [&](std::int64_t, Value x) { return layer(b, c, sizes, bias, x); });
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("lm_head");
    return masked_lm_head(b, rows, {.dense = "dense", .norm = "layer_norm", .epsilon = layer_norm_epsilon(c)});
  }

  Value sequence_logits(Builder& b, const Config&, Value last) const override {
    const auto scope = b.scope("classifier");
    return b.linear("out_proj", first_token_dense(b, "dense", last));
  }

 private:
  static Value embed(Builder& b, const Config& c) {
    const auto scope = b.scope("embeddings");
    const InputRule positions{InputRule::Fill::columns_after_padding, kPaddingId};
    const Value x = b.embedding({{"word_embeddings", b.token_input("input_ids")},
                                 {"position_embeddings", b.token_input("position_ids", positions)}});
    return b.layer_norm("LayerNorm", x, layer_norm_epsilon(c));
  }

  static Value relative_bias(Builder& b, const Summary& sizes) {
    b.weight("relative_attention_bias.weight", {kBuckets, sizes.heads});
    return b.relative_bias("relative_attention_bias", kBuckets, kMaxDistance);
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, Value bias, Value x) {
    const Value context = attend(b, sizes.hidden_size / sizes.heads,
                                 {.query = b.linear("attention.attn.q", x),
                                  .key = b.linear("attention.attn.k", x),
                                  .value = b.linear("attention.attn.v", x),
                                  .relative_bias = bias});
    x = b.layer_norm("attention.LayerNorm", b.linear("attention.attn.o", context, {.residual = x}),
                     layer_norm_epsilon(c));
    const Value hidden = b.linear("intermediate.dense", x, {.activation = activation_of(c, "hidden_act")});
    return b.layer_norm("output.LayerNorm", b.linear("output.dense", hidden, {.residual = x}), layer_norm_epsilon(c));
  }
};

}  // namespace

const Architecture& mpnet() {
  static const MpNet architecture;
  return architecture;
}

}  // namespace accelerate
