// Phi-3 and 4 (Abdin et al. 2024): Llama in fewer matrices, whose queries may see a window only.
#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Phi3 final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "phi3"; }

  NameMap names(const Config& c) const override {
    const std::int64_t heads = c.size("num_attention_heads"), keys = c.size_or({"num_key_value_heads"}, heads);
    const std::int64_t all = heads + 2 * keys;
    return NameMap{names::prefix("model."),
                   names::part("*.self_attn.q_proj.*", "*.self_attn.qkv_proj.*", 0, all, heads),
                   names::part("*.self_attn.k_proj.*", "*.self_attn.qkv_proj.*", heads, all, keys),
                   names::part("*.self_attn.v_proj.*", "*.self_attn.qkv_proj.*", heads + keys, all, keys),
                   names::part("*.mlp.gate_proj.*", "*.mlp.gate_up_proj.*", 0, 2),
                   names::part("*.mlp.up_proj.*", "*.mlp.gate_up_proj.*", 1, 2)} +
           tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const std::int64_t window = c.size_or({"sliding_window"}, 0);
    return llama_layers(
        b, c, {.activation = activation_of(c, "hidden_act", "silu"), .window = [=](std::int64_t) { return window; }});
  }
};

}  // namespace

const Architecture& phi3() {
  static const Phi3 architecture;
  return architecture;
}

}  // namespace accelerate
