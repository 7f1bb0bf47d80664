// What models of text share: reading their configs, stacks of layers, attention by the size of a head.
#pragma once

#include <functional>

#include "models/architecture.hpp"
#include "models/sentence_transformer.hpp"

namespace accelerate {

// By the fields' names in BERT, DistilBERT and GPT-2; max_tokens is max_position_embeddings. Error{corrupted} naming
// the field that is missing or makes no sense, also where the heads do not divide hidden_size and head_dim is not
// given.
Summary text_summary(const Config& config);

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

// The outputs last_hidden_state and hidden_states.0 ...
void output_hidden_states(Builder& b, const Encoded& encoded);
// The outputs mean_pooled and sentence_embedding, by the folder's own modules where it has some.
void output_embeddings(Builder& b, const std::vector<SentenceModule>& modules, Value last);

// Rows [selected, n] of x [batch, tokens~, n], by the inputs selected.item and selected.position.
Value selected_rows(Builder& b, Value x);

// Adds the graphs over tokens that follow what is kept of those before: "decode" with the logits of selected rows, and
// for files "continue" with those of all. decode(b): the tokens' last states; logits(b, rows): of rows [..., hidden].
// Both are kept by the program.
void add_continued(Program& program, const Weights& weights, const std::function<Value(Builder&)>& decode,
                   const std::function<Value(Builder&, Value)>& logits);

// How many heads of that size lie side by side in a query or key. Error{corrupted} unless it divides into such.
std::int64_t heads_in(Builder& b, Value x, std::int64_t head_dim, std::string_view operand = "query or key");

// Self attention whose heads are `head_dim` wide: a pruned layer has fewer of them than the config says, but of the
// same size. options.heads and kv_heads are not read. Error{corrupted} unless query and key divide into such heads.
Value attend(Builder& b, std::int64_t head_dim, AttentionOptions options);

// The activation that a config names in `key`; Error{unsupported} naming the field where it is not known.
Activation activation_of(const Config& c, std::string_view key, const std::string& fallback = "gelu");

// Error{unsupported} naming the field and what was found, unless it is absent, or false, or `expected`: for settings
// that change the computation in ways that are not built.
void expect_off(const Config& c, std::string_view key);
void expect_setting(const Config& c, std::string_view key, std::string_view expected);
// The same for weights that were quantized by others.
void expect_plain_weights(const Config& c);

}  // namespace accelerate
