// Qwen2 and 2.5 (Yang et al. 2024): Llama with biases on query, key and value; later layers may see a window only.
#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Qwen2 final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "qwen2"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const std::int64_t window = c.get("use_sliding_window", false) ? c.size({"sliding_window"}) : 0;
    const std::int64_t whole = c.size_or({"max_window_layers"}, 28, 0);  // layers that see everything
    return llama_layers(b, c,
                        {.query_bias = Bias::required,
                         .activation = activation_of(c, "hidden_act", "silu"),
                         .window = windows(c, window, [=](std::int64_t layer) { return layer >= whole; })});
  }
};

}  // namespace

const Architecture& qwen2() {
  static const Qwen2 architecture;
  return architecture;
}

}  // namespace accelerate
