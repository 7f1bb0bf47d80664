// Mistral (Jiang et al. 2023): Llama whose queries may see a window only.
#include "models/llama_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Mistral final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "mistral"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const std::int64_t window = c.has("sliding_window") ? c.size({"sliding_window"}) : 0;
    return llama_layers(
        b, c, {.activation = activation_of(c, "hidden_act", "silu"), .window = [=](std::int64_t) { return window; }});
  }
};

}  // namespace

const Architecture& mistral() {
  static const Mistral architecture;
  return architecture;
}

}  // namespace accelerate
