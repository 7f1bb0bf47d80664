// BART (Lewis et al. 2020): norms behind each part, learned positions behind two rows of none.
#include <cmath>

#include "models/register.hpp"
#include "models/text_to_text.hpp"

namespace accelerate {
namespace {

class Bart final : public TextToText {
 public:
  std::string_view model_type() const override { return "bart"; }
  std::string_view tokenizer_class() const override { return "BartTokenizer"; }

  Summary summary(const Config& c) const override {
    return {.layers = c.size({"encoder_layers", "num_hidden_layers"}),
            .hidden_size = c.size("d_model"),
            .heads = c.size("encoder_attention_heads"),
            .vocabulary = c.size("vocab_size"),
            .max_tokens = c.size("max_position_embeddings")};
  }

  NameMap names(const Config&) const override {
    return {names::prefix("model."), names::vector("final_logits_bias"),
            names::tied("encoder.embed_tokens.weight", "shared.weight"),
            names::tied("decoder.embed_tokens.weight", "shared.weight"),
            names::tied("lm_head.weight", "shared.weight")};
  }

 protected:
  CrossNames cross_names(std::int64_t layer) const override {
    return {.scope = "decoder.layers." + std::to_string(layer) + ".encoder_attn",
            .key = "k_proj",
            .value = "v_proj",
            .bias = Bias::required};
  }
  std::int64_t decoder_layers(const Config& c) const override { return c.size("decoder_layers"); }

  Encoded encode(Builder& b, const Config& c) const override {
    const auto scope = b.scope("encoder");
    const Half half{b, c, head_dim(c, "encoder_attention_heads"), false};
    const Value positions = b.token_input("position_ids", {.fill = InputRule::Fill::columns, .offset = 2});
    return stack(b, "layers", summary(c).layers, embed(b, c, positions),
                 [&](std::int64_t, Value x) { return half.feed_forward(half.self_attention(x)); });
  }

  Value decode(Builder& b, const Config& c) const override {
    const auto scope = b.scope("decoder");
    const Half half{b, c, head_dim(c, "decoder_attention_heads"), true};
    const Value positions = b.token_input("position_ids", {.fill = InputRule::Fill::rows, .offset = 2});
    return stack(b, "layers", decoder_layers(c), embed(b, c, positions),
                 [&](std::int64_t layer, Value x) {
                   x = half.self_attention(x);
                   return half.feed_forward(half.cross_attention(cross_key(b, layer), cross_value(b, layer), x));
                 })
        .last;
  }

  Value logits(Builder& b, const Config&, Value rows) const override {
    const Value bias = b.has("final_logits_bias") ? b.weight("final_logits_bias") : Value{};
    return b.linear(rows, b.weight("lm_head.weight"), bias);
  }

 private:
  // What layers of both halves do.
  struct Half {
    Builder& b;
    const Config& c;
    std::int64_t head_dim;
    bool causal;

    Value norm(std::string_view name, Value x) const { return b.layer_norm(name, x, 1e-5); }

    Value self_attention(Value x) const {
      const Value context = attend(b, head_dim,
                                   {.query = b.linear("self_attn.q_proj", x),
                                    .key = b.linear("self_attn.k_proj", x),
                                    .value = b.linear("self_attn.v_proj", x),
                                    .causal = causal});
      return norm("self_attn_layer_norm", b.linear("self_attn.out_proj", context, {.residual = x}));
    }

    Value cross_attention(Value key, Value value, Value x) const {
      const Value query = b.linear("encoder_attn.q_proj", x);
      const Value context = attend(b, head_dim, {.query = query, .key = key, .value = value});
      return norm("encoder_attn_layer_norm", b.linear("encoder_attn.out_proj", context, {.residual = x}));
    }

    Value feed_forward(Value x) const {
      const Value hidden = b.linear("fc1", x, {.activation = activation_of(c, "activation_function")});
      return norm("final_layer_norm", b.linear("fc2", hidden, {.residual = x}));
    }
  };

  std::int64_t head_dim(const Config& c, std::string_view heads) const { return c.size("d_model") / c.size(heads); }

  static Value embed(Builder& b, const Config& c, Value positions) {
    const double scale = c.get("scale_embedding", false) ? std::sqrt(static_cast<double>(c.size("d_model"))) : 1;
    const Value words = b.embedding({{"embed_tokens", b.token_input("input_ids")}}, scale);
    const Value places = b.embedding({{"embed_positions", positions}});
    return b.layer_norm("layernorm_embedding", b.add(words, places), 1e-5);
  }
};

}  // namespace

const Architecture& bart() {
  static const Bart architecture;
  return architecture;
}

}  // namespace accelerate
