// What encoder-decoders of text share: a graph over the source text, and one over the tokens that follow.
#pragma once

#include "models/text_layers.hpp"

namespace accelerate {

// An architecture file defines model_type(), summary(), names(), and what is below.
class TextToText : public Architecture {
 public:
  Family family() const override { return Family::text_generation; }
  // "encode" gives beside the encoder's states for each layer of the decoder the keys and values that it reads of them,
  // cross.N.key and cross.N.value [batch, tokens~, n]: "decode" takes them as inputs [batch, source~, n], so that they
  // are computed once a text. "decoder" computes them itself.
  Program build(const Checkpoint& checkpoint, const Weights& weights) const final;

 protected:
  // Where a decoder layer's attention over the source is, and its key and value in there.
  struct CrossNames {
    std::string scope;
    std::string_view key, value;
    Bias bias = Bias::none;
  };
  virtual CrossNames cross_names(std::int64_t layer) const = 0;
  virtual std::int64_t decoder_layers(const Config& c) const = 0;
  virtual Encoded encode(Builder& b, const Config& c) const = 0;
  // Of the decoder's next tokens: [batch, tokens~, hidden].
  virtual Value decode(Builder& b, const Config& c) const = 0;
  // Of rows [..., hidden]: [..., vocabulary].
  virtual Value logits(Builder& b, const Config& c, Value rows) const = 0;

  // What a layer reads of the source: in "decode" an input, in "decoder" computed before the layers.
  Value cross_key(Builder& b, std::int64_t layer) const { return cross_part(b, layer, "key"); }
  Value cross_value(Builder& b, std::int64_t layer) const { return cross_part(b, layer, "value"); }

 private:
  Value cross_part(Builder& b, std::int64_t layer, std::string_view which) const;
  void output_cross(Builder& b, const Config& c, Value states) const;
  Graph whole_decoder(const Config& c, const Weights& weights, std::int64_t encoder_width) const;
};

}  // namespace accelerate
