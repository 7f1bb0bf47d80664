#include "models/bert_layers.hpp"

namespace accelerate {
namespace {

Value layer(Builder& b, const Config& c, const Summary& sizes, Value x) {
  const double epsilon = layer_norm_epsilon(c);
  const Value context = attend(b, sizes.hidden_size / sizes.heads,
                               {.query = b.linear("attention.self.query", x),
                                .key = b.linear("attention.self.key", x),
                                .value = b.linear("attention.self.value", x)});
  x = b.layer_norm("attention.output.LayerNorm", b.linear("attention.output.dense", context, {.residual = x}), epsilon);
  const Value hidden = b.linear("intermediate.dense", x, {.activation = activation_of(c, "hidden_act")});
  return b.layer_norm("output.LayerNorm", b.linear("output.dense", hidden, {.residual = x}), epsilon);
}

}  // namespace

double layer_norm_epsilon(const Config& c) { return c.number_or({"layer_norm_eps"}, 1e-12, 0, 1); }

Value bert_embeddings(Builder& b, const Config& c, InputRule positions) {
  const auto scope = b.scope("embeddings");
  const Value x = b.embedding({{"word_embeddings", b.token_input("input_ids")},
                               {"token_type_embeddings", b.token_input("token_type_ids", {InputRule::Fill::zeros})},
                               {"position_embeddings", b.token_input("position_ids", positions)}});
  return b.layer_norm("LayerNorm", x, layer_norm_epsilon(c));
}

Encoded bert_layers(Builder& b, const Config& c, const Summary& sizes, Value embedded) {
  return stack(b, "encoder.layer", sizes.layers, embedded,
               [&](std::int64_t, Value x) { return layer(b, c, sizes, x); });
}

Value masked_lm_head(Builder& b, Value rows, const MaskedLmHead& head) {
  const Value x = b.linear(head.dense, rows, {.activation = head.activation});
  return b.linear("decoder", b.layer_norm(head.norm, x, head.epsilon));
}

NameMap layer_norm_gamma_beta() {
  return {names::alternative("*LayerNorm.weight", "*LayerNorm.gamma"),
          names::alternative("*LayerNorm.bias", "*LayerNorm.beta")};
}

}  // namespace accelerate
