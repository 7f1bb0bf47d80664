// Nomic BERT (Nussbaum et al. 2024): post-norm layers with rotary positions and gated feed-forward.
//
// Parameters have the names of Transformers' class; published files have those of the authors' code, and so have their
// configs (n_embd, n_layer, ...).
#include "models/bert_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class NomicBert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "nomic_bert"; }
  std::string_view tokenizer_class() const override { return "BertTokenizer"; }

  // Beyond the trained positions the published code stretches the rotary angles, which is not built.
  Summary summary(const Config& c) const override {
    Summary s = TextEncoder::summary(c);
    if (c.has("rotary_scaling_factor"))
      s.max_tokens = std::min(s.max_tokens, c.size_or({"max_trained_positions"}, 2048));
    return s;
  }

  NameMap names(const Config&) const override {
    return NameMap{names::prefix("nomic_bert."),
                   names::alternative("layers.*", "encoder.layers.*"),
                   names::alternative("embeddings.LayerNorm.*", "emb_ln.*"),
                   names::part("*.self_attn.q_proj.*", "*.attn.Wqkv.*", 0, 3),
                   names::part("*.self_attn.k_proj.*", "*.attn.Wqkv.*", 1, 3),
                   names::part("*.self_attn.v_proj.*", "*.attn.Wqkv.*", 2, 3),
                   names::alternative("*.self_attn.o_proj.*", "*.attn.out_proj.*"),
                   names::alternative("*.post_attention_layernorm.*", "*.norm1.*"),
                   names::alternative("*.post_mlp_layernorm.*", "*.norm2.*"),
                   names::alternative("*.mlp.gate_proj.*", "*.mlp.fc12.*"),
                   names::alternative("*.mlp.up_proj.*", "*.mlp.fc11.*"),
                   names::alternative("*.mlp.down_proj.*", "*.mlp.fc2.*"),
                   names::tied("cls.predictions.decoder.weight", "embeddings.word_embeddings.weight"),
                   names::alternative("cls.predictions.decoder.bias", "cls.predictions.bias")};
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    for (const char* key : {"prenorm", "use_rms_norm", "parallel_block", "causal", "scale_attn_by_inverse_layer_idx"}) {
      expect_off(c, key);
    }
    if (c.has("rotary_emb_scale_base")) {
      c.fail("rotary_emb_scale_base", "asks for scaled rotary positions, which are not supported",
             ErrorKind::unsupported);
    }
    if (c.size_or({"moe_every_n_layers"}, 0, 0) > 0) {
      c.fail("moe_every_n_layers", "asks for experts, which are not supported", ErrorKind::unsupported);
    }
    const Summary sizes = summary(c);
    return stack(b, "layers", sizes.layers, embed(b, c), [&](std::int64_t, Value x) { return layer(b, c, sizes, x); });
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    const auto scope = b.scope("cls.predictions");
    return masked_lm_head(b, rows,
                          {.dense = "transform.dense",
                           .norm = "transform.layer_norm",
                           .activation = activation(c),
                           .epsilon = epsilon_of(c)});
  }

 private:
  static double epsilon_of(const Config& c) {
    return c.number_or({"layer_norm_eps", "layer_norm_epsilon"}, 1e-12, 0, 1);
  }

  // Of the gate, and of the transform in front of the vocabulary.
  static Activation activation(const Config& c) {
    if (!c.has("activation_function")) return activation_of(c, "hidden_act", "silu");
    const auto name = c.require<std::string>("activation_function");
    if (name == "swiglu") return Activation::silu;
    if (name == "geglu") return Activation::gelu;
    if (name == "glu") return Activation::sigmoid;
    c.fail("activation_function", "is \"" + name + "\", expected swiglu, geglu or glu", ErrorKind::unsupported);
  }

  static Value embed(Builder& b, const Config& c) {
    const auto scope = b.scope("embeddings");
    std::vector<Builder::Lookup> lookups{{"word_embeddings", b.token_input("input_ids")}};
    if (c.size_or({"type_vocab_size"}, 2, 0) > 0) {
      lookups.push_back({"token_type_embeddings", b.token_input("token_type_ids", {InputRule::Fill::zeros})});
    }
    return b.layer_norm("LayerNorm", b.embedding(lookups), epsilon_of(c));
  }

  static Rotary rotary(Builder& b, const Config& c, std::int64_t head_dim) {
    double theta = c.number_or({"rotary_emb_base", "rope_theta"}, 1000, 1, 1e12);
    if (const auto parameters = c.find_child("rope_parameters")) {
      expect_setting(*parameters, "rope_type", "default");
      theta = parameters->number_or({"rope_theta"}, theta, 1, 1e12);
    }
    const double fraction = c.number_or({"rotary_emb_fraction"}, 1, 0, 1);
    const auto dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * fraction);
    if (dim < 2) c.fail("rotary_emb_fraction", "leaves no rotary positions", ErrorKind::unsupported);
    return b.rotary(dim, theta);
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, Value x) {
    const std::int64_t head_dim = c.size_or({"head_dim"}, sizes.hidden_size / sizes.heads);
    const Rotary turn = rotary(b, c, head_dim);
    // Files have biases where their config asks for them; Transformers' class has none.
    const Bias bias = Bias::if_present;
    const Value context = attend(b, head_dim,
                                 {.query = b.linear("self_attn.q_proj", x, {.bias = bias}),
                                  .key = b.linear("self_attn.k_proj", x, {.bias = bias}),
                                  .value = b.linear("self_attn.v_proj", x, {.bias = bias}),
                                  .rotary_cos = turn.cos,
                                  .rotary_sin = turn.sin,
                                  .interleaved_rotary = c.get("rotary_emb_interleaved", false)});
    const Value attended = b.linear("self_attn.o_proj", context, {.residual = x, .bias = bias});
    x = b.layer_norm("post_attention_layernorm", attended, epsilon_of(c));
    const Value hidden = b.gated_linear("mlp.gate_proj", "mlp.up_proj", x, activation(c), bias);
    const Value fed = b.linear("mlp.down_proj", hidden, {.residual = x, .bias = bias});
    return b.layer_norm("post_mlp_layernorm", fed, epsilon_of(c));
  }
};

}  // namespace

const Architecture& nomic_bert() {
  static const NomicBert architecture;
  return architecture;
}

}  // namespace accelerate
