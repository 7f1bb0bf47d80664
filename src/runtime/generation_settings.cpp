#include "runtime/generation_settings.hpp"

namespace accelerate::runtime {
namespace {

template <typename To, typename From>
void set(To& to, const std::optional<From>& from) {
  if (from) to = static_cast<To>(*from);
}

decoding::EarlyStopping early_stopping_named(const std::string& name) {
  if (name == "true") return decoding::EarlyStopping::yes;
  if (name == "false") return decoding::EarlyStopping::no;
  if (name == "never") return decoding::EarlyStopping::never;
  throw Error(ErrorKind::invalid_input, "is \"" + name + "\", expected true, false or never", "early_stopping");
}

// Words in a text begin with a space for most tokenizers, and may begin without one: both are bad.
std::vector<std::vector<std::int32_t>> ids_of_words(const std::vector<std::string>& words,
                                                    const TextProcessor& processor) {
  std::vector<std::vector<std::int32_t>> ids;
  for (const std::string& word : words) {
    for (const std::string& spelled : {word, " " + word}) {
      std::vector<std::int32_t> one = processor.encode({spelled}, {.add_special_tokens = false}).ids;
      if (!one.empty() && (ids.empty() || ids.back() != one)) ids.push_back(std::move(one));
    }
  }
  return ids;
}

std::optional<Config> generation_config(const Checkpoint& checkpoint) {
  std::optional<Json> json = checkpoint.json("generation_config.json");
  if (!json) return std::nullopt;
  return Config(std::move(*json), "generation_config.json");
}

}  // namespace

decoding::GenerationSettings generation_settings(const Checkpoint& checkpoint, const TextProcessor& processor,
                                                 const GenerateOptions& options) {
  decoding::GenerationSettings s = decoding::settings_of(generation_config(checkpoint), checkpoint.config());
  set(s.max_new_tokens, options.max_new_tokens);
  set(s.min_new_tokens, options.min_new_tokens);
  set(s.do_sample, options.do_sample);
  set(s.temperature, options.temperature);
  set(s.top_k, options.top_k);
  set(s.top_p, options.top_p);
  set(s.min_p, options.min_p);
  set(s.repetition_penalty, options.repetition_penalty);
  set(s.presence_penalty, options.presence_penalty);
  set(s.frequency_penalty, options.frequency_penalty);
  set(s.no_repeat_ngram_size, options.no_repeat_ngram_size);
  set(s.num_beams, options.num_beams);
  set(s.length_penalty, options.length_penalty);
  if (options.early_stopping) s.early_stopping = early_stopping_named(*options.early_stopping);
  set(s.num_return_sequences, options.num_return_sequences);
  for (auto& ids : ids_of_words(options.bad_words, processor)) s.bad_words_ids.push_back(std::move(ids));
  s.seed = options.seed;
  s.stop_strings.insert(s.stop_strings.end(), options.stop.begin(), options.stop.end());
  s.stop_token_ids.insert(s.stop_token_ids.end(), options.stop_token_ids.begin(), options.stop_token_ids.end());
  if (options.ignore_eos) s.eos_token_ids.clear();
  decoding::check(s);
  return s;
}

}  // namespace accelerate::runtime
