// BERT (Devlin et al. 2018).
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Bert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "bert"; }
  std::string_view tokenizer_class() const override { return "BertTokenizer"; }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("bert."),
                   names::tied("cls.predictions.decoder.weight", "embeddings.word_embeddings.weight"),
                   names::alternative("cls.predictions.decoder.bias", "cls.predictions.bias")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    return bert_layers(b, c, summary(c), bert_embeddings(b, c, {InputRule::Fill::columns}));
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("cls.predictions");
    return masked_lm_head(b, rows,
                          {.dense = "transform.dense",
                           .norm = "transform.LayerNorm",
                           .activation = activation_of(c, "hidden_act"),
                           .epsilon = layer_norm_epsilon(c)});
  }

  Value next_sentence_logits(Builder& b, const Config&, Value last) const override {
    return b.linear("cls.seq_relationship", first_token_dense(b, "pooler.dense", last));
  }

  std::vector<Graph::Output> pretraining(Builder& b, const Config& c, Value last) const override {
    return {{"prediction_logits", masked_lm(b, c, last)},
            {"seq_relationship_logits", next_sentence_logits(b, c, last)}};
  }
};

}  // namespace

const Architecture& bert() {
  static const Bert architecture;
  return architecture;
}

}  // namespace accelerate
