// The layers of BART (Lewis et al. 2020), norms behind each part, which Marian's models have too.
#pragma once

#include "models/text_to_text.hpp"

namespace accelerate {

// An architecture file defines model_type() and where its positions are.
class BartLayers : public TextToText {
 public:
  Summary summary(const Config& config) const override;
  NameMap names(const Config& config) const override;

 protected:
  // Rows of no position in front of the table.
  virtual std::int64_t position_offset() const { return 0; }
  // Whether what the first layer reads is normed.
  virtual bool norms_embedding() const { return false; }

  CrossNames cross_names(std::int64_t layer) const override;
  std::int64_t decoder_layers(const Config& c) const override { return c.size("decoder_layers"); }
  Encoded encode(Builder& b, const Config& c) const override;
  Value decode(Builder& b, const Config& c) const override;
  Value logits(Builder& b, const Config& c, Value rows) const override;

 private:
  Value embed(Builder& b, const Config& c, InputRule::Fill positions) const;
};

}  // namespace accelerate
