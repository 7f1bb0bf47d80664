// What encoders of text share: which outputs the class of the checkpoint has, pooling, and the usual heads.
#pragma once

#include "models/architecture.hpp"

namespace accelerate {

struct Encoded {
  Value last;                        // [batch, tokens~, hidden]
  std::vector<Value> hidden_states;  // embedding output, then each layer's
};

// An architecture file defines names(), summary() and encode(), and those heads that are not the usual ones.
class TextEncoder : public Architecture {
 public:
  Family family() const override { return Family::embedding; }
  Summary summary(const Config& config) const override;
  Program build(const Checkpoint& checkpoint, const Weights& weights) const final;

 protected:
  virtual Encoded encode(Builder& b, const Config& c) const = 0;
  // pooler_output, or absent where the checkpoint has none: by default "pooler.dense" with tanh over the first token.
  virtual Value pooler(Builder& b, const Config& c, Value last) const;
  // Vocabulary logits of rows [..., hidden]. Absent: the architecture has no such head.
  virtual Value masked_lm(Builder& b, const Config& c, Value rows) const = 0;
  // [batch, labels]; by default "classifier" over the pooler's output.
  virtual Value sequence_logits(Builder& b, const Config& c, Value last) const;
  // [batch, tokens~, labels]; by default "classifier" over every token.
  virtual Value token_logits(Builder& b, const Config& c, Value last) const;
};

}  // namespace accelerate
