// ELECTRA (Clark et al. 2020), generator and discriminator: BERT over embeddings that may be narrower than the layers.
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Electra final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "electra"; }
  std::string_view tokenizer_class() const override { return "ElectraTokenizer"; }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("electra."),
                   names::tied("generator_lm_head.weight", "embeddings.word_embeddings.weight")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    Value x = bert_embeddings(b, c, {InputRule::Fill::columns});
    if (b.width(x) != sizes.hidden_size) {
      x = b.linear("embeddings_project", x, {.out_features = sizes.hidden_size});
    }
    return bert_layers(b, c, sizes, x);
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    Value x = b.linear("generator_predictions.dense", rows, {.activation = Activation::gelu});
    x = b.layer_norm("generator_predictions.LayerNorm", x, layer_norm_epsilon(c));
    return b.linear("generator_lm_head", x);
  }

  // Unlike BERT's, this one has gelu in the middle.
  Value sequence_logits(Builder& b, const Config&, Value last) const override {
    const auto scope = b.scope("classifier");
    return b.linear("out_proj", first_token_dense(b, "dense", last, Activation::gelu));
  }

  // Whether each token was replaced: [batch, tokens~].
  std::vector<Graph::Output> pretraining(Builder& b, const Config& c, Value last) const override {
    const auto scope = b.scope("discriminator_predictions");
    const Value x = b.linear("dense", last, {.activation = activation_of(c, "hidden_act")});
    return {{"logits", b.column(b.linear("dense_prediction", x, {.out_features = 1}), 0)}};
  }
};

}  // namespace

const Architecture& electra() {
  static const Electra architecture;
  return architecture;
}

}  // namespace accelerate
