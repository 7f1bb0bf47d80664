// The text model of Gemma 3 (Kamath et al. 2025): Gemma 2 with normed queries and keys in place of caps; few layers see
// everything, and those have angles of their own.
#include "models/gemma_layers.hpp"
#include "models/register.hpp"
#include "models/rotary.hpp"

namespace accelerate {
namespace {

// Layers that see a window have no rope_scaling, and a base that older files name by itself.
RotaryRule local_rule(const Config& c, std::int64_t head_dim) {
  if (c.has("rope_parameters")) return rotary_rule(c, head_dim, "sliding_attention", {});
  return rotary_rule(head_dim, c.number_or({"rope_local_base_freq"}, 10000, 1, 1e12));
}

class Gemma3Text final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "gemma3_text"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", true);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const std::int64_t pattern = c.size_or({"sliding_window_pattern"}, 6);
    const std::int64_t head_dim = head_dim_of(c, summary(c));
    LlamaLayers layers = later_gemma_layers(c);
    layers.head_norms = true;
    layers.window =
        windows(c, c.size_or({"sliding_window"}, 4096), [=](std::int64_t layer) { return (layer + 1) % pattern != 0; });
    const RotaryRule whole = rotary_rule(c, head_dim, "full_attention", {.theta = 1e6});
    const RotaryRule local = local_rule(c, head_dim);
    layers.rotary = [=, window = layers.window](std::int64_t layer) { return window(layer) > 0 ? local : whole; };
    return llama_layers(b, c, layers);
  }

  Value logits(Builder& b, const Config& c, Value rows) const override {
    return b.softcap(TextDecoder::logits(b, c, rows), cap_of(c, "final_logit_softcapping", 0));
  }
};

}  // namespace

const Architecture& gemma3_text() {
  static const Gemma3Text architecture;
  return architecture;
}

}  // namespace accelerate
