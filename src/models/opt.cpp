// OPT (Zhang et al. 2022): learned positions behind two rows of none; norms before the layers' parts, in the smallest
// model after them; embeddings may be narrower than the layers.
#include "models/register.hpp"
#include "models/text_decoder.hpp"

namespace accelerate {
namespace {

class Opt final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "opt"; }
  std::string_view tokenizer_class() const override { return "GPT2Tokenizer"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "decoder.embed_tokens.weight", true);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const auto scope = b.scope("decoder");
    const Summary sizes = summary(c);
    Encoded decoded =
        stack(b, "layers", sizes.layers, embed(b), [&](std::int64_t, Value x) { return layer(b, c, sizes, x); });
    const bool normed = c.get("do_layer_norm_before", true) && !c.get("_remove_final_layer_norm", false);
    if (normed) decoded.last = norm(b, c, "final_layer_norm", decoded.last);
    if (b.has("project_out.weight")) decoded.last = b.linear("project_out", decoded.last, {.bias = Bias::none});
    decoded.hidden_states.back() = decoded.last;
    return decoded;
  }

 private:
  static Bias bias(const Config& c) { return c.get("enable_bias", true) ? Bias::required : Bias::none; }

  static Value norm(Builder& b, const Config& c, std::string_view name, Value x) {
    if (!c.get("layer_norm_elementwise_affine", true)) {
      c.fail("layer_norm_elementwise_affine", "is false, which is not supported", ErrorKind::unsupported);
    }
    return b.layer_norm(name, x, 1e-5);
  }

  static Value embed(Builder& b) {
    const Value positions = b.embedding({{"embed_positions", decoder_positions(b, 2)}});
    const Value words = b.embedding({{"embed_tokens", b.token_input("input_ids")}});
    if (!b.has("project_in.weight")) return b.add(words, positions);
    return b.linear("project_in", words, {.residual = positions, .bias = Bias::none});
  }

  static Value layer(Builder& b, const Config& c, const Summary& sizes, Value x) {
    const bool before = c.get("do_layer_norm_before", true);
    const auto normed = [&](bool here, std::string_view name, Value value) {
      return here ? norm(b, c, name, value) : value;
    };
    const Value in = normed(before, "self_attn_layer_norm", x);
    const Value context = attend(b, sizes.hidden_size / sizes.heads,
                                 {.query = b.linear("self_attn.q_proj", in, {.bias = bias(c)}),
                                  .key = b.linear("self_attn.k_proj", in, {.bias = bias(c)}),
                                  .value = b.linear("self_attn.v_proj", in, {.bias = bias(c)}),
                                  .causal = true});
    x = b.linear("self_attn.out_proj", context, {.residual = x, .bias = bias(c)});
    x = normed(!before, "self_attn_layer_norm", x);
    const Value hidden = b.linear("fc1", normed(before, "final_layer_norm", x),
                                  {.activation = activation_of(c, "activation_function", "relu"), .bias = bias(c)});
    x = b.linear("fc2", hidden, {.residual = x, .bias = bias(c)});
    return normed(!before, "final_layer_norm", x);
  }
};

}  // namespace

const Architecture& opt() {
  static const Opt architecture;
  return architecture;
}

}  // namespace accelerate
