#include "models/gemma_layers.hpp"

#include <cmath>

namespace accelerate {

LlamaLayers gemma_layers(const Config& c) {
  const Bias bias = c.get("attention_bias", false) ? Bias::required : Bias::none;
  return {.query_bias = bias,
          .output_bias = bias,
          // Older files say "gelu" in hidden_act and mean this.
          .activation = activation_of(c, "hidden_activation", "gelu_pytorch_tanh"),
          .embedding_scale = std::sqrt(static_cast<double>(text_summary(c).hidden_size)),
          .norm_offset = 1};
}

LlamaLayers later_gemma_layers(const Config& c) {
  expect_off(c, "use_bidirectional_attention");
  LlamaLayers layers = gemma_layers(c);
  layers.four_norms = true;
  layers.attention_scale = 1 / std::sqrt(c.number_or({"query_pre_attn_scalar"}, 256, 1e-6, 1e6));
  return layers;
}

double cap_of(const Config& c, std::string_view key, double fallback) {
  const Json* value = c.json().find(key);
  return value != nullptr && value->is_null() ? 0 : c.number_or({key}, fallback, 1e-6, 1e6);
}

}  // namespace accelerate
