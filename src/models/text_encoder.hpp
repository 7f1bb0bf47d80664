// What encoders of text share: which outputs the class of the checkpoint has, pooling, and the usual heads.
#pragma once

#include "models/architecture.hpp"
#include "models/sentence_transformer.hpp"

namespace accelerate {

struct Encoded {
  Value last;                        // [batch, tokens~, hidden]
  std::vector<Value> hidden_states;  // embedding output, then each layer's, in Transformers' order
};

// layer(i, x) for i = 0, 1, ... in the scope "<scope>.i", each over what the one before gave.
template <typename Layer>
Encoded stack(Builder& b, std::string_view scope, std::int64_t layers, Value embedded, const Layer& layer) {
  Encoded encoded{.last = embedded, .hidden_states = {embedded}};
  for (std::int64_t i = 0; i < layers; ++i) {
    const auto inner = b.scope(scope, i);
    encoded.last = layer(i, encoded.last);
    encoded.hidden_states.push_back(encoded.last);
  }
  return encoded;
}

// What a class of Transformers adds to the encoder.
enum class Head { none, masked_lm, sequence, token, span, pretraining, next_sentence, unknown };

// An architecture file defines model_type(), names(), encode() and masked_lm(), and those of the rest that are not the
// usual ones.
class TextEncoder : public Architecture {
 public:
  Family family() const override { return Family::embedding; }
  // By the fields' names in BERT, DistilBERT and GPT-2; max_tokens is max_position_embeddings. Error{corrupted} also
  // where the heads do not divide hidden_size.
  Summary summary(const Config& config) const override;
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

// Self attention whose heads are `head_dim` wide: a pruned layer has fewer of them than the config says, but of the
// same size. options.heads is not read. Error{corrupted} unless the query divides into such heads.
Value attend(Builder& b, std::int64_t head_dim, AttentionOptions options);

// The activation that a config names in `key`; Error{unsupported} naming the field where it is not known.
Activation activation_of(const Config& c, std::string_view key, const std::string& fallback = "gelu");

// Error{unsupported} naming the field and what was found, unless it is absent, or false, or `expected`: for settings
// that change the computation in ways that are not built.
void expect_off(const Config& c, std::string_view key);
void expect_setting(const Config& c, std::string_view key, std::string_view expected);

}  // namespace accelerate
