// DistilBERT (Sanh et al. 2019): BERT without token types and pooler, half as many layers.
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

constexpr double kNormEpsilon = 1e-12;  // not in the config

class DistilBert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "distilbert"; }
  std::string_view tokenizer_class() const override { return "DistilBertTokenizer"; }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("distilbert."),
                   names::tied("vocab_projector.weight", "embeddings.word_embeddings.weight")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    return stack(b, "transformer.layer", sizes.layers, embed(b),
                 [&](std::int64_t, Value x) { return layer(b, c, sizes, x); });
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const Value x = b.linear("vocab_transform", rows, {.activation = activation_of(c, "activation")});
    return b.linear("vocab_projector", b.layer_norm("vocab_layer_norm", x, kNormEpsilon));
  }

  Value sequence_logits(Builder& b, const Config&, Value last) const override {
    return b.linear("classifier", first_token_dense(b, "pre_classifier", last, Activation::relu));
  }

 private:
  static Value embed(Builder& b) {
    const auto scope = b.scope("embeddings");
    const Value x = b.embedding({{"word_embeddings", b.token_input("input_ids")},
                                 {"position_embeddings", b.token_input("position_ids", {InputRule::Fill::columns})}});
    return b.layer_norm("LayerNorm", x, kNormEpsilon);
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, Value x) {
    const Value context = attend(b, sizes.hidden_size / sizes.heads,
                                 {.query = b.linear("attention.q_lin", x),
                                  .key = b.linear("attention.k_lin", x),
                                  .value = b.linear("attention.v_lin", x)});
    x = b.layer_norm("sa_layer_norm", b.linear("attention.out_lin", context, {.residual = x}), kNormEpsilon);
    const Value hidden = b.linear("ffn.lin1", x, {.activation = activation_of(c, "activation")});
    return b.layer_norm("output_layer_norm", b.linear("ffn.lin2", hidden, {.residual = x}), kNormEpsilon);
  }
};

}  // namespace

const Architecture& distilbert() {
  static const DistilBert architecture;
  return architecture;
}

}  // namespace accelerate
