// GPT-2 (Radford et al. 2019): pre-norm layers with learned positions; its matrices lie as [in, out] in the file.
#include <cmath>

#include "models/register.hpp"
#include "models/text_decoder.hpp"

namespace accelerate {
namespace {

class Gpt2 final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "gpt2"; }
  std::string_view tokenizer_class() const override { return "GPT2Tokenizer"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("transformer."),
                   names::part("*.attn.q_proj.*", "*.attn.c_attn.*", 0, 3),
                   names::part("*.attn.k_proj.*", "*.attn.c_attn.*", 1, 3),
                   names::part("*.attn.v_proj.*", "*.attn.c_attn.*", 2, 3),
                   names::transposed("*.attn.c_attn.weight"),
                   names::transposed("*.c_proj.weight"),
                   names::transposed("*.mlp.c_fc.weight")} +
           tied_head(c, "wte.weight", true);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    const Value embedded = b.embedding({{"wte", b.token_input("input_ids")}, {"wpe", decoder_positions(b)}});
    Encoded decoded =
        stack(b, "h", sizes.layers, embedded, [&](std::int64_t i, Value x) { return layer(b, c, sizes, i, x); });
    decoded.last = decoded.hidden_states.back() = norm(b, c, "ln_f", decoded.last);
    return decoded;
  }

 private:
  static Value norm(Builder& b, const Config& c, std::string_view name, Value x) {
    return b.layer_norm(name, x, c.number_or({"layer_norm_epsilon"}, 1e-5, 0, 1));
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, std::int64_t index, Value x) {
    const Value normed = norm(b, c, "ln_1", x);
    const std::int64_t head_dim = sizes.hidden_size / sizes.heads;
    double scale = c.get("scale_attn_weights", true) ? 1 / std::sqrt(static_cast<double>(head_dim)) : 1;
    if (c.get("scale_attn_by_inverse_layer_idx", false)) scale /= static_cast<double>(index + 1);
    const Value context = attend(b, head_dim,
                                 {.query = b.linear("attn.q_proj", normed),
                                  .key = b.linear("attn.k_proj", normed),
                                  .value = b.linear("attn.v_proj", normed),
                                  .scale = scale,
                                  .causal = true});
    x = b.linear("attn.c_proj", context, {.residual = x});
    const Value hidden = b.linear("mlp.c_fc", norm(b, c, "ln_2", x),
                                  {.activation = activation_of(c, "activation_function", "gelu_new")});
    return b.linear("mlp.c_proj", hidden, {.residual = x});
  }
};

}  // namespace

const Architecture& gpt2() {
  static const Gpt2 architecture;
  return architecture;
}

}  // namespace accelerate
