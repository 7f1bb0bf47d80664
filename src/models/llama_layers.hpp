// The layers of Llama (Touvron et al. 2023), which most later decoders vary.
#pragma once

#include "graph/rotary.hpp"
#include "models/text_decoder.hpp"

namespace accelerate {

// What descendants vary.
struct LlamaLayers {
  Bias query_bias = Bias::none;   // of query, key and value
  Bias output_bias = Bias::none;  // of what follows attention
  Bias mlp_bias = Bias::none;
  Activation activation = Activation::silu;
  double embedding_scale = 1;
  double norm_offset = 0;      // added to every norm's weight
  bool head_norms = false;     // q_norm and k_norm, over each head before it is turned
  bool four_norms = false;     // also of what attention and the feed forward give, before it is added
  double attention_scale = 0;  // 0: 1 / sqrt(head_dim)
  double attention_cap = 0;    // of the scores; 0: none
  // How many tokens a query of a layer sees, its own included; 0: all.
  std::function<std::int64_t(std::int64_t layer)> window = [](std::int64_t) { return std::int64_t{0}; };
  // By what each layer's heads are turned; absent: by the config's one rule.
  std::function<RotaryRule(std::int64_t layer)> rotary;
  // Of what the norm before it gives; absent: "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj".
  std::function<Value(Builder&, Value)> feed_forward;
};

// The window of layers that have one: by `layer_types` where the config has it, else those that `usual` says.
std::function<std::int64_t(std::int64_t layer)> windows(const Config& c, std::int64_t window,
                                                        const std::function<bool(std::int64_t layer)>& usual);

// head_dim where the config has it, else the hidden size over the heads.
std::int64_t head_dim_of(const Config& c, const Summary& sizes);

// Parameters "embed_tokens", "layers.i....", "norm".
Encoded llama_layers(Builder& b, const Config& c, const LlamaLayers& layers);

}  // namespace accelerate
