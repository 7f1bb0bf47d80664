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
    Encoded decoded = stack(b_, "layers", sizes_.layers, embedded,
                            [&](std::int64_t i, Value x) { return feed_forward(attention(i, x)); });
    decoded.last = decoded.hidden_states.back() = norm("norm", decoded.last);
    return decoded;
  }

 private:
  Value norm(std::string_view name, Value x) { return b_.rms_norm(name, x, epsilon_, style_.norm_offset); }

  // Each head by itself.
  Value head_norm(std::string_view name, Value x) {
    if (!style_.head_norms) return x;
    return b_.rms_norm(name, x, epsilon_, style_.norm_offset, heads_in(b_, x, head_dim_));
  }

  // What a block gives, added to what it was given.
  Value added(std::string_view name, Value block, Value x, Bias bias, std::string_view norm_behind) {
    if (!style_.four_norms) return b_.linear(name, block, {.residual = x, .bias = bias});
    return b_.add(x, norm(norm_behind, b_.linear(name, block, {.bias = bias})));
  }

  Value attention(std::int64_t layer, Value x) {
    const Value in = norm("input_layernorm", x);
    const std::int64_t window = style_.window(layer);
    const Rotary rotary =
        b_.rotary(style_.rotary ? style_.rotary(layer) : rotary_rule(c_, head_dim_), decoder_positions(b_));
    const auto projected = [&](std::string_view name) { return b_.linear(name, in, {.bias = style_.query_bias}); };
    const Value context = attend(b_, head_dim_,
                                 {.query = head_norm("self_attn.q_norm", projected("self_attn.q_proj")),
                                  .key = head_norm("self_attn.k_norm", projected("self_attn.k_proj")),
                                  .value = projected("self_attn.v_proj"),
                                  .scale = style_.attention_scale,
                                  .softcap = style_.attention_cap,
                                  .causal = true,
                                  .window = window > 0 ? window - 1 : -1,
                                  .rotary_cos = rotary.cos,
                                  .rotary_sin = rotary.sin});
    return added("self_attn.o_proj", context, x, style_.output_bias, "post_attention_layernorm");
  }

  Value feed_forward(Value x) {
    const Value in = norm(style_.four_norms ? "pre_feedforward_layernorm" : "post_attention_layernorm", x);
    if (style_.feed_forward) return b_.add(x, style_.feed_forward(b_, in));
    const Value hidden = b_.gated_linear("mlp.gate_proj", "mlp.up_proj", in, style_.activation, style_.mlp_bias);
    return added("mlp.down_proj", hidden, x, style_.mlp_bias, "post_feedforward_layernorm");
  }

  Builder& b_;
  const Config& c_;
  const LlamaLayers& style_;
  Summary sizes_;
  std::int64_t head_dim_;
  double epsilon_;
};

}  // namespace

std::int64_t head_dim_of(const Config& c, const Summary& sizes) {
  return c.size_or({"head_dim"}, sizes.hidden_size / sizes.heads);
}

std::function<std::int64_t(std::int64_t)> windows(const Config& c, std::int64_t window,
                                                  const std::function<bool(std::int64_t)>& usual) {
  const auto types = c.find<std::vector<std::string>>("layer_types");
  if (!types) return [=](std::int64_t layer) { return usual(layer) ? window : 0; };
  const auto layers = static_cast<std::size_t>(text_summary(c).layers);
  if (types->size() < layers) {
    c.fail("layer_types", "has " + std::to_string(types->size()) + " entries, expected one for each of " +
                              std::to_string(layers) + " layers");
  }
  std::vector<std::int64_t> by_layer;
  for (const std::string& type : *types) {
    if (type != "full_attention" && type != "sliding_attention") {
      c.fail("layer_types", "has \"" + type + "\", which is not supported", ErrorKind::unsupported);
    }
    by_layer.push_back(type == "sliding_attention" ? window : 0);
  }
  return [by_layer](std::int64_t layer) { return by_layer[static_cast<std::size_t>(layer)]; };
}

Encoded llama_layers(Builder& b, const Config& c, const LlamaLayers& layers) { return Layers(b, c, layers).decode(); }

}  // namespace accelerate
