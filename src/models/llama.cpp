// Llama (Touvron et al. 2023), 2 and 3 with their longer contexts, and what is published in their shape.
#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Llama final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "llama"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const auto bias = [&](std::string_view key) { return c.get(key, false) ? Bias::required : Bias::none; };
    return llama_layers(b, c,
                        {.query_bias = bias("attention_bias"),
                         .output_bias = bias("attention_bias"),
                         .mlp_bias = bias("mlp_bias"),
                         .activation = activation_of(c, "hidden_act", "silu")});
  }
};

}  // namespace

const Architecture& llama() {
  static const Llama architecture;
  return architecture;
}

}  // namespace accelerate
