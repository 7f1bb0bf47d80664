// ALBERT (Lan et al. 2020): BERT whose layers share parameters, over embeddings narrower than the layers.
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Albert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "albert"; }
  std::string_view tokenizer_class() const override { return "AlbertTokenizer"; }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("albert."),
                   names::tied("predictions.decoder.weight", "embeddings.word_embeddings.weight"),
                   names::alternative("predictions.decoder.bias", "predictions.bias")} +
           layer_norm_gamma_beta();
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    const std::int64_t groups = c.size_or({"num_hidden_groups"}, 1, 1, sizes.layers);
    const std::int64_t inner_layers = c.size_or({"inner_group_num"}, 1, 1, 1000);
    Encoded encoded;
    const Value embedded = bert_embeddings(b, c, {InputRule::Fill::columns});
    const auto encoder = b.scope("encoder");
    encoded.last = b.linear("embedding_hidden_mapping_in", embedded, {.out_features = sizes.hidden_size});
    encoded.hidden_states.push_back(encoded.last);
    for (std::int64_t i = 0; i < sizes.layers; ++i) {
      const auto group = b.scope("albert_layer_groups", group_of(i, sizes.layers, groups));
      for (std::int64_t inner = 0; inner < inner_layers; ++inner) {
        const auto scope = b.scope("albert_layers", inner);
        encoded.last = layer(b, c, sizes, encoded.last);
        encoded.hidden_states.push_back(encoded.last);
      }
    }
    return encoded;
  }

  Value pooler(Builder& b, const Config&, Value last) const override {
    return b.has("pooler.weight") ? first_token_dense(b, "pooler", last) : Value{};
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("predictions");
    return masked_lm_head(
        b, rows,
        {.dense = "dense", .norm = "LayerNorm", .activation = activation(c), .epsilon = layer_norm_epsilon(c)});
  }

  Value sequence_logits(Builder& b, const Config&, Value last) const override {
    return b.linear("classifier", first_token_dense(b, "pooler", last));
  }

  std::vector<Graph::Output> pretraining(Builder& b, const Config& c, Value last) const override {
    const Value pooled = first_token_dense(b, "pooler", last);
    return {{"prediction_logits", masked_lm(b, c, last)},
            {"sop_logits", b.linear("sop_classifier.classifier", pooled)}};
  }

 private:
  static Activation activation(const Config& c) { return activation_of(c, "hidden_act", "gelu_new"); }

  // floor(i / (layers / groups)) with the division in double, as the published code rounds it.
  static std::int64_t group_of(std::int64_t i, std::int64_t layers, std::int64_t groups) {
    const double each = static_cast<double>(layers) / static_cast<double>(groups);
    return static_cast<std::int64_t>(static_cast<double>(i) / each);
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, Value x) {
    const Value context = attend(b, sizes.hidden_size / sizes.heads,
                                 {.query = b.linear("attention.query", x),
                                  .key = b.linear("attention.key", x),
                                  .value = b.linear("attention.value", x)});
    x = b.layer_norm("attention.LayerNorm", b.linear("attention.dense", context, {.residual = x}),
                     layer_norm_epsilon(c));
    const Value hidden = b.linear("ffn", x, {.activation = activation(c)});
    return b.layer_norm("full_layer_layer_norm", b.linear("ffn_output", hidden, {.residual = x}),
                        layer_norm_epsilon(c));
  }
};

}  // namespace

const Architecture& albert() {
  static const Albert architecture;
  return architecture;
}

}  // namespace accelerate
