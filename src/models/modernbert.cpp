// ModernBERT (Warner et al. 2024): pre-norm layers with rotary positions and gated feed-forward; most layers see a
// window.
#include "models/register.hpp"
#include "models/text_encoder.hpp"

namespace accelerate {
namespace {

constexpr std::string_view kFull = "full_attention", kSliding = "sliding_attention";

class ModernBert final : public TextEncoder {
 public:
  std::string_view model_type() const override { return "modernbert"; }

  // One matrix holds query, key and value, another the gate and what it gates.
  NameMap names(const Config&) const override {
    return {names::prefix("model."),
            names::part("*.attn.q_proj.*", "*.attn.Wqkv.*", 0, 3),
            names::part("*.attn.k_proj.*", "*.attn.Wqkv.*", 1, 3),
            names::part("*.attn.v_proj.*", "*.attn.Wqkv.*", 2, 3),
            names::part("*.mlp.gate_proj.*", "*.mlp.Wi.*", 0, 2),
            names::part("*.mlp.up_proj.*", "*.mlp.Wi.*", 1, 2),
            names::tied("decoder.weight", "embeddings.tok_embeddings.weight")};
  }

 protected:
  Encoded encode(Builder& b, const Config& c) const override {
    const Summary sizes = summary(c);
    const std::vector<std::string> kinds = layer_kinds(c, sizes.layers);
    Encoded encoded = stack(b, "layers", sizes.layers, embed(b, c), [&](std::int64_t i, Value x) {
      return layer(b, c, sizes, kinds[static_cast<std::size_t>(i)], i == 0, x);
    });
    // The last of the hidden states is the normed one, as Transformers gives it.
    encoded.last = encoded.hidden_states.back() = norm(b, c, "final_norm", encoded.last);
    return encoded;
  }

  Value masked_lm(Builder& b, const Config& c, Value rows) const override {
    return b.linear("decoder", head(b, c, rows), {.bias = bias(c, "decoder_bias", true)});
  }

  Value sequence_logits(Builder& b, const Config& c, Value last) const override {
    const auto pooling = c.get<std::string>("classifier_pooling", "cls");
    if (pooling != "cls") expect_setting(c, "classifier_pooling", "mean");
    return b.linear("classifier",
                    head(b, c, b.pool(last, pooling == "cls" ? ops::PoolMode::first_row : ops::PoolMode::mean)));
  }

  Value token_logits(Builder& b, const Config& c, Value last) const override {
    return b.linear("classifier", head(b, c, last));
  }

  Value span_logits(Builder& b, const Config& c, Value last) const override {
    return b.linear("classifier", head(b, c, last), {.out_features = 2});
  }

 private:
  static Bias bias(const Config& c, std::string_view key, bool fallback = false) {
    return c.get(key, fallback) ? Bias::required : Bias::none;
  }

  static Value norm(Builder& b, const Config& c, std::string_view name, Value x) {
    return b.layer_norm(name, x, c.number_or({"norm_eps"}, 1e-5, 0, 1), bias(c, "norm_bias"));
  }

  static Value head(Builder& b, const Config& c, Value x) {
    const auto scope = b.scope("head");
    const LinearOptions options{.activation = activation_of(c, "classifier_activation"),
                                .bias = bias(c, "classifier_bias")};
    return norm(b, c, "norm", b.linear("dense", x, options));
  }

  static std::vector<std::string> layer_kinds(const Config& c, std::int64_t layers) {
    if (auto kinds = c.find<std::vector<std::string>>("layer_types")) {
      for (const std::string& kind : *kinds) {
        if (kind != kFull && kind != kSliding) {
          c.fail("layer_types", "has \"" + kind + "\", which is not known", ErrorKind::unsupported);
        }
      }
      if (static_cast<std::int64_t>(kinds->size()) < layers) {
        c.fail("layer_types", "has " + std::to_string(kinds->size()) + " entries, expected num_hidden_layers " +
                                  std::to_string(layers));
      }
      return *kinds;
    }
    const std::int64_t every = c.size_or({"global_attn_every_n_layers"}, 3);
    std::vector<std::string> kinds;
    for (std::int64_t i = 0; i < layers; ++i) kinds.emplace_back(i % every == 0 ? kFull : kSliding);
    return kinds;
  }

  // Newer configs have `rope_parameters` with an entry for each kind of layer, older ones a field for each.
  static double theta(const Config& c, const std::string& kind) {
    if (c.has("rope_scaling")) c.fail("rope_scaling", "is set, which is not supported", ErrorKind::unsupported);
    if (const auto parameters = c.find_child("rope_parameters")) {
      if (const auto of_kind = parameters->find_child(kind)) {
        expect_setting(*of_kind, "rope_type", "default");
        if (of_kind->has("rope_theta")) return of_kind->number_or({"rope_theta"}, 0, 1, 1e12);
      }
    }
    return kind == kFull ? c.number_or({"global_rope_theta"}, 160000, 1, 1e12)
                         : c.number_or({"local_rope_theta"}, 10000, 1, 1e12);
  }

  static Value embed(Builder& b, const Config& c) {
    const auto scope = b.scope("embeddings");
    return norm(b, c, "norm", b.embedding({{"tok_embeddings", b.token_input("input_ids")}}));
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, const std::string& kind, bool first, Value x) {
    const std::int64_t head_dim = sizes.hidden_size / sizes.heads;
    const Bias attention_bias = bias(c, "attention_bias"), mlp_bias = bias(c, "mlp_bias");
    // The first layer follows the embeddings' norm at once.
    const Value normed = first ? x : norm(b, c, "attn_norm", x);
    const Rotary rotary = b.rotary(head_dim, theta(c, kind));
    const Value context = attend(b, head_dim,
                                 {.query = b.linear("attn.q_proj", normed, {.bias = attention_bias}),
                                  .key = b.linear("attn.k_proj", normed, {.bias = attention_bias}),
                                  .value = b.linear("attn.v_proj", normed, {.bias = attention_bias}),
                                  .window = kind == kFull ? -1 : c.size_or({"local_attention"}, 128) / 2,
                                  .rotary_cos = rotary.cos,
                                  .rotary_sin = rotary.sin});
    x = b.linear("attn.Wo", context, {.residual = x, .bias = attention_bias});
    const Value hidden = b.gated_linear("mlp.gate_proj", "mlp.up_proj", norm(b, c, "mlp_norm", x),
                                        activation_of(c, "hidden_activation"), mlp_bias);
    return b.linear("mlp.Wo", hidden, {.residual = x, .bias = mlp_bias});
  }
};

}  // namespace

const Architecture& modernbert() {
  static const ModernBert architecture;
  return architecture;
}

}  // namespace accelerate
