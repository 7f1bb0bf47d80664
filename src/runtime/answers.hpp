// Pieces of a context scored as answers, as the question-answering pipeline of Transformers 4 does it: question first,
// long contexts in pieces that overlap, spans by start times end probability.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "text/tokenizer.hpp"

namespace accelerate::runtime {

// One piece of question and context with the logits of its tokens.
struct ScoredPiece {
  const text::Encoding* encoding = nullptr;
  std::span<const float> start_logits, end_logits;  // [tokens]
};

// The options.top_k best answers, the best first. `cls` is the id of the token that stands for "no answer", -1: none.
std::vector<Answer> best_answers(std::string_view context, std::span<const ScoredPiece> pieces, std::int32_t cls,
                                 const AnswerOptions& options);

}  // namespace accelerate::runtime
