#include "runtime/constraints.hpp"

#include <algorithm>

namespace accelerate::runtime {

std::shared_ptr<const decoding::TokenFilter> Constraints::filter(const text::Tokenizer& tokenizer,
                                                                 const GenerateOptions& options,
                                                                 decoding::GenerationSettings& settings) {
  if (!options.regex && !options.json_schema) return nullptr;
  const std::string name = options.regex ? "regex" : "json_schema";
  if (options.regex && options.json_schema) {
    throw Error(ErrorKind::invalid_input, "is given and json_schema too", "regex", "a text keeps to one of the two");
  }
  if (options.ignore_eos) {
    throw Error(ErrorKind::invalid_input, "is given and ignore_eos too", name, "such a text must be able to end");
  }
  std::vector<std::int32_t> ends = settings.eos_token_ids;
  if (ends.empty() && tokenizer.special_tokens().eos) {
    ends.push_back(*tokenizer.special_tokens().eos);
    settings.eos_token_ids = ends;
  }
  ends.insert(ends.end(), settings.stop_token_ids.begin(), settings.stop_token_ids.end());
  if (ends.empty()) {
    throw Error(ErrorKind::invalid_input, "needs a token that ends a text, and the model has none", name,
                "name one in stop_token_ids");
  }
  const std::string& text = options.regex ? *options.regex : *options.json_schema;
  Known wanted{options.regex.has_value(), text, std::move(ends), nullptr};
  if (auto kept = known(wanted)) return kept;
  // Without the lock: a large schema would hold up all other calls. Two threads may make the same one.
  const auto tokens = tokens_of(tokenizer);
  wanted.constraint = wanted.is_regex ? decoding::regex_constraint(text, tokens, wanted.ends)
                                      : decoding::schema_constraint(text, tokens, wanted.ends);
  return keep(std::move(wanted));
}

std::shared_ptr<const decoding::constraint::TokenTable> Constraints::tokens_of(const text::Tokenizer& tokenizer) {
  {
    const std::lock_guard lock(mutex_);
    if (tokens_) return tokens_;
  }
  auto made = decoding::constraint::TokenTable::of(tokenizer);
  const std::lock_guard lock(mutex_);
  if (!tokens_) tokens_ = std::move(made);
  return tokens_;
}

std::shared_ptr<const decoding::Constraint> Constraints::known(const Known& wanted) {
  const std::lock_guard lock(mutex_);
  return found(wanted);
}

std::shared_ptr<const decoding::Constraint> Constraints::keep(Known made) {
  const std::lock_guard lock(mutex_);
  if (auto first = found(made)) return first;
  if (known_.size() == kMostKnown) known_.pop_back();
  known_.insert(known_.begin(), std::move(made));
  return known_.front().constraint;
}

std::shared_ptr<const decoding::Constraint> Constraints::found(const Known& wanted) {
  const auto same = [&](const Known& known) {
    return known.is_regex == wanted.is_regex && known.text == wanted.text && known.ends == wanted.ends;
  };
  const auto place = std::ranges::find_if(known_, same);
  if (place == known_.end()) return nullptr;
  std::rotate(known_.begin(), place, place + 1);
  return known_.front().constraint;
}

}  // namespace accelerate::runtime
