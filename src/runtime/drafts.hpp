// Guesses of the tokens that come next. One run of the model checks all that are made for a text, so that each right
// one saves a run; what is chosen is what would have been chosen without them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "runtime/generate.hpp"

namespace accelerate::runtime {

// Not for two threads at once.
class Drafts {
 public:
  struct Text {
    std::size_t number = 0;                // among the texts of the call
    std::span<const std::int32_t> tokens;  // prompt included
    std::size_t prompt_length = 0;
    std::size_t most = 0;  // tokens to guess
  };

  virtual ~Drafts() = default;
  // For each of these texts what may follow: at most `most` tokens, fewer or none where there is no guess. Errors of
  // the model that guesses.
  virtual std::vector<std::vector<std::int32_t>> next(std::span<const Text> texts) = 0;
  // All texts have ended.
  virtual void finish() {}
};

// Error{invalid_input} for guesses of two kinds, too many at once, beside beam search, or by a model with another
// vocabulary; Error{unsupported} for a model that does not generate, or reads sources.
void check_drafts(const GenerationCall& call);
// What the call's options ask for; null where they ask for none.
std::unique_ptr<Drafts> drafts_of(const GenerationCall& call);

}  // namespace accelerate::runtime
