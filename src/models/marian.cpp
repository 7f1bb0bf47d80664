// Marian's translators (Junczys-Dowmunt et al. 2018), as Helsinki-NLP publishes them (OPUS-MT): positions are waves
// (Vaswani et al. 2017), which most files leave out.
#include <cmath>

#include "models/bart_layers.hpp"
#include "models/register.hpp"

namespace accelerate {
namespace {

constexpr std::int64_t kMostPositions = 1 << 16;

// Sines in the first half of a row, cosines in the second, of the same frequencies.
Tensor waves(std::int64_t positions, std::int64_t width) {
  Tensor table(DType::f32, {positions, width});
  auto out = table.as<float>().begin();
  for (std::int64_t position = 0; position < positions; ++position) {
    const auto angle = [&](std::int64_t pair) {
      return static_cast<double>(position) /
             std::pow(10000.0, static_cast<double>(2 * pair) / static_cast<double>(width));
    };
    for (std::int64_t i = 0; i < (width + 1) / 2; ++i) *out++ = static_cast<float>(std::sin(angle(i)));
    for (std::int64_t i = 0; i < width / 2; ++i) *out++ = static_cast<float>(std::cos(angle(i)));
  }
  return table;
}

class Marian final : public BartLayers {
 public:
  std::string_view model_type() const override { return "marian"; }
  std::string_view tokenizer_class() const override { return "MarianTokenizer"; }

  void add_computed(const Config& c, Weights& weights) const override {
    for (const std::string half : {"encoder", "decoder"}) {
      const Weight* words = weights.find(half + ".embed_tokens.weight");
      const std::string name = half + ".embed_positions.weight";
      if (words == nullptr || words->dims.size() != 2 || weights.find(name) != nullptr) continue;
      weights.add(name, waves(c.size({"max_position_embeddings"}, 1, kMostPositions), words->dims[1]));
    }
  }
};

}  // namespace

const Architecture& marian() {
  static const Marian architecture;
  return architecture;
}

}  // namespace accelerate
