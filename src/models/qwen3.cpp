// Qwen3 (Yang et al. 2025): Llama whose queries and keys are normed a head at a time; later layers may see a window
// only.
#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Qwen3 final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "qwen3"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const Bias bias = c.get("attention_bias", false) ? Bias::required : Bias::none;
    const std::int64_t window = c.get("use_sliding_window", false) ? c.size({"sliding_window"}) : 0;
    const std::int64_t whole = c.size_or({"max_window_layers"}, 28, 0);  // layers that see everything
    return llama_layers(b, c,
                        {.query_bias = bias,
                         .output_bias = bias,
                         .activation = activation_of(c, "hidden_act", "silu"),
                         .head_norms = true,
                         .window = windows(c, window, [=](std::int64_t layer) { return layer >= whole; })});
  }
};

}  // namespace

const Architecture& qwen3() {
  static const Qwen3 architecture;
  return architecture;
}

}  // namespace accelerate
