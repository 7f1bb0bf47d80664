// What encoders of text share: which outputs the class of the checkpoint has, pooling, and the usual heads.
#pragma once

#include "models/architecture.hpp"
#include "models/sentence_transformer.hpp"
#include "models/text_layers.hpp"

namespace accelerate {

// What a class of Transformers adds to the encoder.
enum class Head { none, masked_lm, sequence, token, span, pretraining, next_sentence, unknown };

// An architecture file defines model_type(), names(), encode() and masked_lm(), and those of the rest that are not the
// usual ones.
class TextEncoder : public Architecture {
 public:
  Family family() const override { return Family::embedding; }
  Summary summary(const Config& config) const override { return text_summary(config); }
  Program build(const Checkpoint& checkpoint, const Weights& weights) const final;

 protected:
  virtual Encoded encode(Builder& b, const Config& c) const = 0;
  // pooler_output, or absent where the checkpoint has none: by default "pooler.dense" with tanh over the first token.
  virtual Value pooler(Builder& b, const Config& c, Value last) const;
  // Vocabulary logits of rows [..., hidden]: what ForMaskedLM adds.
  virtual Value masked_lm(Builder& b, const Config& c, Value rows) const = 0;
  // [batch, labels]: what ForSequenceClassification adds; by default "classifier" over "pooler.dense".
  virtual Value sequence_logits(Builder& b, const Config& c, Value last) const;
  // [batch, tokens~, labels]: what ForTokenClassification adds; by default "classifier" over every token.
  virtual Value token_logits(Builder& b, const Config& c, Value last) const;
  // [batch, tokens~, 2], start and end of an answer: what ForQuestionAnswering adds; by default "qa_outputs".
  virtual Value span_logits(Builder& b, const Config& c, Value last) const;
  // [batch, 2], whether the second text follows the first: what ForNextSentencePrediction adds; absent, as by default,
  // where there is no such class.
  virtual Value next_sentence_logits(Builder& b, const Config& c, Value last) const;
  // What ForPreTraining adds; by default there is no such class.
  virtual std::vector<Graph::Output> pretraining(Builder& b, const Config& c, Value last) const;

 private:
  Graph encode_graph(const Config& c, const Weights& weights, const std::vector<SentenceModule>& modules,
                     Head head) const;
  void add_head(Builder& b, const Config& c, Value last, Head head) const;
  Head head_in(const Config& c, const Weights& weights) const;
};

// tanh("<name>" of the first token), or of the whole value where it is pooled already.
Value first_token_dense(Builder& b, std::string_view name, Value last, Activation activation = Activation::tanh);

}  // namespace accelerate
