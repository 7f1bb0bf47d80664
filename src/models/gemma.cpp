// Gemma (Mesnard et al. 2024): Llama with scaled embeddings, norms around one, and a gate of its own.
#include "models/gemma_layers.hpp"
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
  Encoded decode(Builder& b, const Config& c) const override { return llama_layers(b, c, gemma_layers(c)); }
};

}  // namespace

const Architecture& gemma() {
  static const Gemma architecture;
  return architecture;
}

}  // namespace accelerate
