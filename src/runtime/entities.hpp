// Labels of tokens joined to entities, as Transformers' TokenClassificationPipeline does it.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "runtime/code_points.hpp"
#include "runtime/text_processor.hpp"

namespace accelerate::runtime {

// A token of a text with its score for every label.
struct LabelledToken {
  std::string word, token;  // they differ where the token is unknown
  std::vector<double> scores;
  std::int64_t start = 0, end = 0;  // code points
  std::int64_t index = 0;
  bool continues_word = false;
};

// The tokens of a text that are not special ones. `logits` [tokens, labels] in the order of the encoding.
std::vector<LabelledToken> labelled_tokens(const TextProcessor& processor, const text::Encoding& encoding,
                                           const CodePoints& text, std::span<const float> logits, std::size_t labels);

// Entities in the order of the text, all labels kept.
std::vector<Entity> entities_of(const TextProcessor& processor, std::span<const LabelledToken> tokens,
                                const CodePoints& text, std::span<const std::string> labels, Aggregation aggregation);

}  // namespace accelerate::runtime
