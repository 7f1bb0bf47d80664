// Mixtral (Jiang et al. 2024): Mistral whose feed forwards are mixtures of experts.
#include "models/llama_layers.hpp"
#include "models/register.hpp"
#include "models/rotary.hpp"

namespace accelerate {
namespace {

class Mixtral final : public TextDecoder {
 public:
  std::string_view model_type() const override { return "mixtral"; }

  NameMap names(const Config& c) const override {
    return NameMap{names::prefix("model.")} + tied_head(c, "embed_tokens.weight", false);
  }

 protected:
  Encoded decode(Builder& b, const Config& c) const override {
    const std::int64_t window = c.size_or({"sliding_window"}, 0);
    const RotaryRule rule = rotary_rule(c, head_dim_of(c, summary(c)), {.theta = 1e6});
    return llama_layers(b, c,
                        {.window = [=](std::int64_t) { return window; },
                         .rotary = [=](std::int64_t) { return rule; },
                         .feed_forward = [&](Builder&, Value x) { return experts(b, c, x); }});
  }

 private:
  static Value experts(Builder& b, const Config& c, Value x) {
    const std::int64_t experts = c.size_or({"num_local_experts"}, 8, 1, 4096);
    const auto scope = b.scope("block_sparse_moe");
    const Value scores = b.linear("gate", x, {.bias = Bias::none, .out_features = experts});
    return b.experts("experts", x, scores,
                     {.chosen = c.size_or({"num_experts_per_tok"}, 2, 1, experts),
                      .activation = activation_of(c, "hidden_act", "silu"),
                      .gate = "w1",
                      .up = "w3",
                      .down = "w2"});
  }
};

}  // namespace

const Architecture& mixtral() {
  static const Mixtral architecture;
  return architecture;
}

}  // namespace accelerate
