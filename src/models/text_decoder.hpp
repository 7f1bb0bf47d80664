// What decoders of text share: a graph over whole sequences, with the logits that follow each token.
#pragma once

#include "models/text_layers.hpp"

namespace accelerate {

// An architecture file defines model_type(), names(), decode(), and logits() where they are not the usual ones.
class TextDecoder : public Architecture {
 public:
  Family family() const override { return Family::text_generation; }
  Summary summary(const Config& config) const override { return text_summary(config); }
  Program build(const Checkpoint& checkpoint, const Weights& weights) const final;

 protected:
  // The last of the hidden states is the normed one, as Transformers gives it.
  virtual Encoded decode(Builder& b, const Config& c) const = 0;
  // Of rows [..., hidden]: [..., vocabulary]; by default "lm_head" without bias.
  virtual Value logits(Builder& b, const Config& c, Value rows) const;
};

// Positions of the tokens that are not masked, from 0: what callers may give as position_ids. `offset` is added to
// them.
Value decoder_positions(Builder& b, std::int64_t offset = 0);

// The output matrix is the embedding's unless the config says otherwise.
NameMap tied_head(const Config& c, std::string_view embedding, bool by_default);

}  // namespace accelerate
