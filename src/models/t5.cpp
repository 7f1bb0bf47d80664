// T5 (Raffel et al. 2020), its versions 1.0 and 1.1, efficient and flan: norms before each part, no biases, distances
// instead of positions, scores that are not scaled.
#include <cmath>

#include "models/register.hpp"
#include "models/text_to_text.hpp"

namespace accelerate {
namespace {

class T5 final : public TextToText {
 public:
  std::string_view model_type() const override { return "t5"; }
  std::string_view tokenizer_class() const override { return "T5Tokenizer"; }

  Summary summary(const Config& c) const override {
    return {.layers = c.size({"num_layers", "num_hidden_layers"}),
            .hidden_size = c.size("d_model"),
            .heads = c.size({"num_heads", "num_attention_heads"}),
            .vocabulary = c.size("vocab_size")};
  }

  NameMap names(const Config&) const override {
    return {names::tied("encoder.embed_tokens.weight", "shared.weight"),
            names::tied("decoder.embed_tokens.weight", "shared.weight"),
            names::tied("lm_head.weight", "shared.weight")};
  }

 protected:
  CrossNames cross_names(std::int64_t layer) const override {
    return {.scope = "decoder.block." + std::to_string(layer) + ".layer.1.EncDecAttention", .key = "k", .value = "v"};
  }
  std::int64_t decoder_layers(const Config& c) const override {
    return c.size_or({"num_decoder_layers"}, summary(c).layers);
  }

  Encoded encode(Builder& b, const Config& c) const override {
    const auto scope = b.scope("encoder");
    const Value bias = distances(b, c, Builder::Directions::both);
    const Value embedded = b.embedding({{"embed_tokens", b.token_input("input_ids")}});
    Encoded encoded = stack(b, "block", summary(c).layers, embedded, [&](std::int64_t, Value x) {
      x = self_attention(b, c, bias, false, x);
      return feed_forward(b, c, "layer.1", x);
    });
    encoded.last = encoded.hidden_states.back() = norm(b, c, "final_layer_norm", encoded.last);
    return encoded;
  }

  Value decode(Builder& b, const Config& c) const override {
    const auto scope = b.scope("decoder");
    const Value bias = distances(b, c, Builder::Directions::back);
    const Value embedded = b.embedding({{"embed_tokens", b.token_input("input_ids")}});
    const Encoded decoded = stack(b, "block", decoder_layers(c), embedded, [&](std::int64_t layer, Value x) {
      x = self_attention(b, c, bias, true, x);
      x = cross_attention(b, c, layer, x);
      return feed_forward(b, c, "layer.2", x);
    });
    return norm(b, c, "final_layer_norm", decoded.last);
  }

  // A tied head takes smaller numbers.
  Value logits(Builder& b, const Config& c, Value rows) const override {
    const bool tied = c.get("tie_word_embeddings", true);
    const double factor = tied ? 1 / std::sqrt(static_cast<double>(summary(c).hidden_size)) : 1;
    return b.linear("lm_head", b.scale(rows, factor), {.bias = Bias::none});
  }

 private:
  static std::int64_t head_dim(const Config& c) { return c.size("d_kv"); }

  static Value norm(Builder& b, const Config& c, std::string_view name, Value x) {
    return b.rms_norm(name, x, c.number_or({"layer_norm_epsilon"}, 1e-6, 0, 1));
  }

  // The first layer's, for all of a stack.
  static Value distances(Builder& b, const Config& c, Builder::Directions directions) {
    return b.relative_bias("block.0.layer.0.SelfAttention.relative_attention_bias",
                           c.size_or({"relative_attention_num_buckets"}, 32),
                           c.size_or({"relative_attention_max_distance"}, 128), directions);
  }

  static Value self_attention(Builder& b, const Config& c, Value bias, bool causal, Value x) {
    const auto scope = b.scope("layer.0");
    const Value in = norm(b, c, "layer_norm", x);
    const auto projected = [&](std::string_view name) { return b.linear(name, in, {.bias = Bias::none}); };
    const Value context = attend(b, head_dim(c),
                                 {.query = projected("SelfAttention.q"),
                                  .key = projected("SelfAttention.k"),
                                  .value = projected("SelfAttention.v"),
                                  .scale = 1,
                                  .causal = causal,
                                  .relative_bias = bias});
    return b.linear("SelfAttention.o", context, {.residual = x, .bias = Bias::none});
  }

  Value cross_attention(Builder& b, const Config& c, std::int64_t layer, Value x) const {
    const auto scope = b.scope("layer.1");
    const Value query = b.linear("EncDecAttention.q", norm(b, c, "layer_norm", x), {.bias = Bias::none});
    const Value context = attend(
        b, head_dim(c), {.query = query, .key = cross_key(b, layer), .value = cross_value(b, layer), .scale = 1});
    return b.linear("EncDecAttention.o", context, {.residual = x, .bias = Bias::none});
  }

  // "relu", or "gated-" and an activation: of it, gelu means the approximation by tanh.
  static Value feed_forward(Builder& b, const Config& c, std::string_view name, Value x) {
    const auto scope = b.scope(name);
    const Value in = norm(b, c, "layer_norm", x);
    const std::string kind = c.get("feed_forward_proj", std::string("relu"));
    constexpr std::string_view kGated = "gated-";
    const bool gated = kind.starts_with(kGated);
    const std::string activation = gated ? kind.substr(kGated.size()) : kind;
    const Activation function = kind == "gated-gelu" ? Activation::gelu_tanh : activation_named(activation);
    const Value hidden = gated ? b.gated_linear("DenseReluDense.wi_0", "DenseReluDense.wi_1", in, function, Bias::none)
                               : b.linear("DenseReluDense.wi", in, {.activation = function, .bias = Bias::none});
    return b.linear("DenseReluDense.wo", hidden, {.residual = x, .bias = Bias::none});
  }
};

}  // namespace

const Architecture& t5() {
  static const T5 architecture;
  return architecture;
}

}  // namespace accelerate
