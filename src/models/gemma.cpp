// Gemma (Mesnard et al. 2024): Llama with scaled embeddings, norms around one, and a gate of its own.
#include <cmath>

#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Gemma final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "gemma"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", true);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const Bias bias = c.get("attention_bias", false) ? Bias::required : Bias::none;
    // Older files say "gelu" in hidden_act and mean this.
    const Activation activation = activation_of(c, "hidden_activation", "gelu_pytorch_tanh");
    return llama_layers(b, c,
                        {.query_bias = bias,
                         .output_bias = bias,
                         .activation = activation,
                         .embedding_scale = std::sqrt(static_cast<double>(summary(c).hidden_size)),
                         .norm_offset = 1});
  }
};

}  // namespace

const Architecture& gemma() {
  static const Gemma architecture;
  return architecture;
}

}  // namespace accelerate
