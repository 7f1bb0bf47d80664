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
  const std::lock_guard lock(mutex_);
  const auto same = [&](const Known& known) {
    return known.is_regex == options.regex.has_value() && known.text == text && known.ends == ends;
  };
  if (const auto found = std::ranges::find_if(known_, same); found != known_.end()) {
    std::rotate(known_.begin(), found, found + 1);
    return known_.front().constraint;
  }
  if (!tokens_) tokens_ = decoding::constraint::TokenTable::of(tokenizer);
  Known made{options.regex.has_value(), text, ends,
             options.regex ? decoding::regex_constraint(text, tokens_, ends)
                           : decoding::schema_constraint(text, tokens_, ends)};
  if (known_.size() == kMostKnown) known_.pop_back();
  known_.insert(known_.begin(), std::move(made));
  return known_.front().constraint;
}

}  // namespace accelerate::runtime
