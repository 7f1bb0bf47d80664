// BERT (Devlin et al. 2018).
#include "models/register.hpp"
#include "models/text_encoder.hpp"

namespace accelerate {
namespace {

class Bert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "bert"; }

  NameMap names(const Config&) const override {
    return {names::prefix("bert."), names::alternative("*LayerNorm.weight", "*LayerNorm.gamma"),
            names::alternative("*LayerNorm.bias", "*LayerNorm.beta"),
            names::tied("cls.predictions.decoder.weight", "embeddings.word_embeddings.weight"),
            names::alternative("cls.predictions.decoder.bias", "cls.predictions.bias")};
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const double epsilon = c.get("layer_norm_eps", 1e-12);
    Encoded encoded;
    encoded.hidden_states.push_back(embed(b, epsilon));
    const std::int64_t layers = c.size("num_hidden_layers");
    for (std::int64_t i = 0; i < layers; ++i) {
      const auto scope = b.scope("encoder.layer", i);
      encoded.hidden_states.push_back(layer(b, c, epsilon, encoded.hidden_states.back()));
    }
    encoded.last = encoded.hidden_states.back();
    return encoded;
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("cls.predictions");
    Value x = b.linear("transform.dense", rows, {.activation = activation(c)});
    x = b.layer_norm("transform.LayerNorm", x, c.get("layer_norm_eps", 1e-12));
    return b.linear("decoder", x);
  }

 private:
  static Activation activation(const Config& c) { return activation_named(c.get<std::string>("hidden_act", "gelu")); }

  static Value embed(Builder& b, double epsilon) {
    const auto scope = b.scope("embeddings");
    const Value x = b.embedding({{"word_embeddings", b.token_input("input_ids")},
                                 {"token_type_embeddings", b.token_input("token_type_ids", {InputRule::Fill::zeros})},
                                 {"position_embeddings", b.token_input("position_ids", {InputRule::Fill::columns})}});
    return b.layer_norm("LayerNorm", x, epsilon);
  }

  static Value layer(Builder& b, const Config& c, double epsilon, Value x) {
    const Value context = b.attention({.query = b.linear("attention.self.query", x),
                                       .key = b.linear("attention.self.key", x),
                                       .value = b.linear("attention.self.value", x),
                                       .heads = c.size("num_attention_heads")});
    x = b.layer_norm("attention.output.LayerNorm", b.linear("attention.output.dense", context, {.residual = x}),
                     epsilon);
    const Value hidden = b.linear("intermediate.dense", x, {.activation = activation(c)});
    return b.layer_norm("output.LayerNorm", b.linear("output.dense", hidden, {.residual = x}), epsilon);
  }
};

}  // namespace

const Architecture& bert() {
  static const Bert architecture;
  return architecture;
}

}  // namespace accelerate
