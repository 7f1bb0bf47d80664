// Regular expressions and schemas that texts of a model keep to.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "accelerate/generation.hpp"
#include "decoding/constraint/constraint.hpp"
#include "decoding/settings.hpp"

namespace accelerate::runtime {

// Keeps the model's tokens as bytes and the constraints of the last calls, with the masks they have found: an
// application asks for the same schema again and again. Safe for several threads.
class Constraints {
 public:
  // What `options` ask for; null where that is nothing. Texts must be able to end: where the settings name no eos, the
  // tokenizer's becomes one. Error{invalid_input} for both a regex and a schema, for one beside ignore_eos, and for a
  // model without a token that ends a text; else errors of decoding::regex_constraint and schema_constraint.
  std::shared_ptr<const decoding::TokenFilter> filter(const text::Tokenizer& tokenizer, const GenerateOptions& options,
                                                      decoding::GenerationSettings& settings);

 private:
  struct Known {
    bool is_regex = false;
    std::string text;
    std::vector<std::int32_t> ends;
    std::shared_ptr<const decoding::Constraint> constraint;
  };
  static constexpr std::size_t kMostKnown = 4;

  std::shared_ptr<const decoding::constraint::TokenTable> tokens_of(const text::Tokenizer& tokenizer);
  // The constraint that is kept for this, or null; moves it to the front.
  std::shared_ptr<const decoding::Constraint> known(const Known& wanted);
  std::shared_ptr<const decoding::Constraint> found(const Known& wanted);  // under the lock
  // The first one counts: its masks are those that others fill.
  std::shared_ptr<const decoding::Constraint> keep(Known made);

  std::mutex mutex_;
  std::shared_ptr<const decoding::constraint::TokenTable> tokens_;
  std::vector<Known> known_;  // the one last used in front
};

}  // namespace accelerate::runtime
