// Gemma 2 (Riviere et al. 2024): Gemma with capped scores and logits, norms behind its blocks too, and every other
// layer seeing a window only.
#include "models/gemma_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

class Gemma2 final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "gemma2"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", true);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    LlamaLayers layers = later_gemma_layers(c);
    layers.attention_cap = cap_of(c, "attn_logit_softcapping", 50);
    layers.window = windows(c, c.size_or({"sliding_window"}, 4096), [](std::int64_t layer) { return layer % 2 == 0; });
    return llama_layers(b, c, layers);
  }

  Value logits(Builder& b, const Config& c, Value rows) const override {
    return b.softcap(TextDecoder::logits(b, c, rows), cap_of(c, "final_logit_softcapping", 30));
  }
};

}  // namespace

const Architecture& gemma2() {
  static const Gemma2 architecture;
  return architecture;
}

}  // namespace accelerate
