// The layers of Llama (Touvron et al. 2023), which most later decoders vary.
#pragma once

#include "models/text_decoder.hpp"

namespace accelerate {

// What descendants vary.
struct LlamaLayers {
  Bias query_bias = Bias::none;   // of query, key and value
  Bias output_bias = Bias::none;  // of what follows attention
  Bias mlp_bias = Bias::none;
  Activation activation = Activation::silu;
  double embedding_scale = 1;
  double norm_offset = 0;  // added to every norm's weight
  // How many tokens a query of a layer sees, its own included; 0: all.
  std::function<std::int64_t(std::int64_t layer)> window = [](std::int64_t) { return std::int64_t{0}; };
};

// head_dim where the config has it, else the hidden size over the heads.
std::int64_t head_dim_of(const Config& c, const Summary& sizes);

// Parameters "embed_tokens", "layers.i....", "norm".
Encoded llama_layers(Builder& b, const Config& c, const LlamaLayers& layers);

}  // namespace accelerate
