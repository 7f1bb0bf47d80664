#include "models/bart_layers.hpp"

#include <cmath>

namespace accelerate {
namespace {

constexpr double kEpsilon = 1e-5;

// What layers of both halves do.
struct Half {
  Builder& b;
  const Config& c;
  std::int64_t head_dim;
  bool causal;

  Value norm(std::string_view name, Value x) const { return b.layer_norm(name, x, kEpsilon); }

  Value self_attention(Value x) const {
    const Value context = attend(b, head_dim,
                                 {.query = b.linear("self_attn.q_proj", x),
                                  .key = b.linear("self_attn.k_proj", x),
                                  .value = b.linear("self_attn.v_proj", x),
                                  .causal = causal});
    return norm("self_attn_layer_norm", b.linear("self_attn.out_proj", context, {.residual = x}));
  }

  Value cross_attention(Value key, Value value, Value x) const {
    const Value query = b.linear("encoder_attn.q_proj", x);
    const Value context = attend(b, head_dim, {.query = query, .key = key, .value = value});
    return norm("encoder_attn_layer_norm", b.linear("encoder_attn.out_proj", context, {.residual = x}));
  }

  Value feed_forward(Value x) const {
    const Value hidden = b.linear("fc1", x, {.activation = activation_of(c, "activation_function")});
    return norm("final_layer_norm", b.linear("fc2", hidden, {.residual = x}));
  }
};

std::int64_t head_dim(const Config& c, std::string_view heads) { return c.size("d_model") / c.size(heads); }

void expect_known(const Config& c) {
  expect_off(c, "normalize_before");
  expect_off(c, "add_final_layer_norm");
}

}  // namespace

Summary BartLayers::summary(const Config& c) const {
  return {.layers = c.size({"encoder_layers", "num_hidden_layers"}),
          .hidden_size = c.size("d_model"),
          .heads = c.size("encoder_attention_heads"),
          .vocabulary = c.size("vocab_size"),
          .max_tokens = c.size("max_position_embeddings")};
}

NameMap BartLayers::names(const Config& c) const {
  NameMap names{names::prefix("model."), names::vector("final_logits_bias")};
  const bool shared = c.get("share_encoder_decoder_embeddings", true);
  if (shared) {
    names.add(names::tied("encoder.embed_tokens.weight", "shared.weight"));
    names.add(names::tied("decoder.embed_tokens.weight", "shared.weight"));
  }
  if (c.get("tie_word_embeddings", true)) {
    names.add(names::tied("lm_head.weight", shared ? "shared.weight" : "decoder.embed_tokens.weight"));
  }
  return names;
}

TextToText::CrossNames BartLayers::cross_names(std::int64_t layer) const {
  return {.scope = "decoder.layers." + std::to_string(layer) + ".encoder_attn",
          .key = "k_proj",
          .value = "v_proj",
          .bias = Bias::required};
}

Value BartLayers::embed(Builder& b, const Config& c, InputRule::Fill positions) const {
  const double scale = c.get("scale_embedding", false) ? std::sqrt(static_cast<double>(c.size("d_model"))) : 1;
  const Value words = b.embedding({{"embed_tokens", b.token_input("input_ids")}}, scale);
  const Value places = b.embedding(
      {{"embed_positions", b.token_input("position_ids", {.fill = positions, .offset = position_offset()})}});
  const Value embedded = b.add(words, places);
  return norms_embedding() ? b.layer_norm("layernorm_embedding", embedded, kEpsilon) : embedded;
}

Encoded BartLayers::encode(Builder& b, const Config& c) const {
  expect_known(c);
  const auto scope = b.scope("encoder");
  const Half half{b, c, head_dim(c, "encoder_attention_heads"), false};
  return stack(b, "layers", summary(c).layers, embed(b, c, InputRule::Fill::columns),
               [&](std::int64_t, Value x) { return half.feed_forward(half.self_attention(x)); });
}

Value BartLayers::decode(Builder& b, const Config& c) const {
  const auto scope = b.scope("decoder");
  const Half half{b, c, head_dim(c, "decoder_attention_heads"), true};
  return stack(b, "layers", decoder_layers(c), embed(b, c, InputRule::Fill::rows),
               [&](std::int64_t layer, Value x) {
                 x = half.self_attention(x);
                 return half.feed_forward(half.cross_attention(cross_key(b, layer), cross_value(b, layer), x));
               })
      .last;
}

Value BartLayers::logits(Builder& b, const Config&, Value rows) const {
  const Value bias = b.has("final_logits_bias") ? b.weight("final_logits_bias") : Value{};
  return b.linear(rows, b.weight("lm_head.weight"), bias);
}

}  // namespace accelerate
