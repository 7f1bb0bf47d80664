#include "models/llama_layers.hpp"

#include "models/rotary.hpp"

namespace accelerate {
namespace {

class Layers {
 public:
  Layers(Builder& b, const Config& c, const LlamaLayers& style)
      : b_(b),
        c_(c),
        style_(style),
        sizes_(text_summary(c)),
        head_dim_(head_dim_of(c, sizes_)),
        epsilon_(c.number_or({"rms_norm_eps"}, 1e-6, 0, 1)) {}

  Encoded decode() {
    const Value embedded = b_.embedding({{"embed_tokens", b_.token_input("input_ids")}}, style_.embedding_scale);
    rotary_ = b_.rotary(rotary_rule(c_, head_dim_), decoder_positions(b_));
    Encoded decoded = stack(b_, "layers", sizes_.layers, embedded,
                            [&](std::int64_t i, Value x) { return feed_forward(attention(i, x)); });
    decoded.last = decoded.hidden_states.back() = norm("norm", decoded.last);
    return decoded;
  }

 private:
  Value norm(std::string_view name, Value x) { return b_.rms_norm(name, x, epsilon_, style_.norm_offset); }

  Value attention(std::int64_t layer, Value x) {
    const Value in = norm("input_layernorm", x);
    const std::int64_t window = style_.window(layer);
    const Value context = attend(b_, head_dim_,
                                 {.query = b_.linear("self_attn.q_proj", in, {.bias = style_.query_bias}),
                                  .key = b_.linear("self_attn.k_proj", in, {.bias = style_.query_bias}),
                                  .value = b_.linear("self_attn.v_proj", in, {.bias = style_.query_bias}),
                                  .causal = true,
                                  .window = window > 0 ? window - 1 : -1,
                                  .rotary_cos = rotary_.cos,
                                  .rotary_sin = rotary_.sin});
    return b_.linear("self_attn.o_proj", context, {.residual = x, .bias = style_.output_bias});
  }

  Value feed_forward(Value x) {
    const Value hidden = b_.gated_linear("mlp.gate_proj", "mlp.up_proj", norm("post_attention_layernorm", x),
                                         style_.activation, style_.mlp_bias);
    return b_.linear("mlp.down_proj", hidden, {.residual = x, .bias = style_.mlp_bias});
  }

  Builder& b_;
  const Config& c_;
  const LlamaLayers& style_;
  Summary sizes_;
  std::int64_t head_dim_;
  double epsilon_;
  Rotary rotary_;
};

}  // namespace

std::int64_t head_dim_of(const Config& c, const Summary& sizes) {
  return c.size_or({"head_dim"}, sizes.hidden_size / sizes.heads);
}

Encoded llama_layers(Builder& b, const Config& c, const LlamaLayers& layers) { return Layers(b, c, layers).decode(); }

}  // namespace accelerate
