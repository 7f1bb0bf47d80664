// GPT-NeoX (Black et al. 2022) and Pythia: layers whose two halves read the same, unless the config says otherwise;
// query, key and value of each head lie together in the file.
#include "models/register.hpp"
#include "models/rotary.hpp"
#include "models/text_decoder.hpp"

namespace accelerate {
namespace {

class GptNeox final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "gpt_neox"; }

  NameMap names(const Config& c) const override {
    const std::int64_t heads = c.size("num_attention_heads");
    return NameMap{names::prefix("gpt_neox."),
                   names::part("*.attention.q_proj.*", "*.attention.query_key_value.*", 0, 3, 1, heads),
                   names::part("*.attention.k_proj.*", "*.attention.query_key_value.*", 1, 3, 1, heads),
                   names::part("*.attention.v_proj.*", "*.attention.query_key_value.*", 2, 3, 1, heads),
                   names::alternative("lm_head.weight", "embed_out.weight")} +
           tied_head(c, "embed_in.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    const std::int64_t head_dim = sizes.hidden_size / sizes.heads;
    const Value embedded = b.embedding({{"embed_in", b.token_input("input_ids")}});
    const Rotary rotary = b.rotary(rotary_rule(c, head_dim, {.part = 0.25}), decoder_positions(b));
    Encoded decoded = stack(b, "layers", sizes.layers, embedded,
                            [&](std::int64_t, Value x) { return layer(b, c, head_dim, rotary, x); });
    decoded.last = decoded.hidden_states.back() = norm(b, c, "final_layer_norm", decoded.last);
    return decoded;
  }

 private:
  static Value norm(Builder& b, const Config& c, std::string_view name, Value x) {
    return b.layer_norm(name, x, c.number_or({"layer_norm_eps"}, 1e-5, 0, 1));
  }

  static Value layer(Builder& b, const Config& c, std::int64_t head_dim, const Rotary& rotary, Value x) {
    const Value attended = attention(b, c, head_dim, rotary, x);
    const bool parallel = c.get("use_parallel_residual", true);
    const Value in = norm(b, c, "post_attention_layernorm", parallel ? x : attended);
    const Value hidden = b.linear("mlp.dense_h_to_4h", in, {.activation = activation_of(c, "hidden_act", "gelu")});
    return b.linear("mlp.dense_4h_to_h", hidden, {.residual = attended});
  }

  // What it gives, added to x.
  static Value attention(Builder& b, const Config& c, std::int64_t head_dim, const Rotary& rotary, Value x) {
    const Bias bias = c.get("attention_bias", true) ? Bias::required : Bias::none;
    const Value in = norm(b, c, "input_layernorm", x);
    const Value context = attend(b, head_dim,
                                 {.query = b.linear("attention.q_proj", in, {.bias = bias}),
                                  .key = b.linear("attention.k_proj", in, {.bias = bias}),
                                  .value = b.linear("attention.v_proj", in, {.bias = bias}),
                                  .causal = true,
                                  .rotary_cos = rotary.cos,
                                  .rotary_sin = rotary.sin});
    return b.linear("attention.dense", context, {.residual = x, .bias = bias});
  }
};

}  // namespace

const Architecture& gpt_neox() {
  static const GptNeox architecture;
  return architecture;
}

}  // namespace accelerate
