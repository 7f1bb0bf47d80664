#include "decoding/sampler_chain.hpp"

#include "decoding/sampler_steps.hpp"

namespace accelerate::decoding {
namespace {

std::string number(double value) { return Json(value).dump(); }

std::string ids(std::span<const std::int32_t> tokens) {
  constexpr std::size_t kShown = 8;
  std::string text;
  for (std::size_t i = 0; i < tokens.size() && i < kShown; ++i) text += " " + std::to_string(tokens[i]);
  return tokens.size() > kShown ? text + " ... (" + std::to_string(tokens.size()) + ")" : text;
}

std::string described(const RepetitionPenalty& step) {
  return "repetition_penalty " + number(static_cast<double>(step.penalty));
}
std::string described(const CountPenalty& step) {
  return "presence_penalty " + number(static_cast<double>(step.presence)) + " frequency_penalty " +
         number(static_cast<double>(step.frequency));
}
std::string described(const NoRepeatNgrams& step) { return "no_repeat_ngram_size " + std::to_string(step.size); }
std::string described(const BadWords& step) { return "bad_words_ids (" + std::to_string(step.words.size()) + ")"; }
std::string described(const MinLength& step) {
  return step.new_tokens > 0 ? "min_new_tokens " + std::to_string(step.new_tokens)
                             : "min_length " + std::to_string(step.total);
}
std::string described(const Filter& step) { return "filter " + std::string(step.filter->name()); }
std::string described(const ForceFirst& step) { return "forced_bos_token_id " + std::to_string(step.token); }
std::string described(const ForceLast& step) { return "forced_eos_token_id" + ids(step.tokens); }
std::string described(const RemoveInvalid&) { return "remove_invalid_values"; }
std::string described(const Suppress& step) { return "suppress_tokens" + ids(step.tokens); }
std::string described(const SuppressFirst& step) { return "begin_suppress_tokens" + ids(step.tokens); }
std::string described(const Temperature& step) { return "temperature " + number(static_cast<double>(step.value)); }
std::string described(const TopK& step) { return "top_k " + std::to_string(step.count); }
std::string described(const TopP& step) { return "top_p " + number(step.mass); }
std::string described(const MinP& step) { return "min_p " + number(step.share); }
std::string described(const Renormalize&) { return "renormalize_logits"; }

// An eos alone is no bad word: it would never end.
std::vector<std::vector<std::int32_t>> without_eos(const GenerationSettings& settings) {
  std::vector<std::vector<std::int32_t>> words;
  for (const auto& word : settings.bad_words_ids) {
    const bool eos = word.size() == 1 && std::find(settings.eos_token_ids.begin(), settings.eos_token_ids.end(),
                                                   word.front()) != settings.eos_token_ids.end();
    if (!eos) words.push_back(word);
  }
  return words;
}

void add_penalties(const GenerationSettings& s, std::vector<SamplerStep>& steps) {
  if (s.repetition_penalty != 1) steps.emplace_back(RepetitionPenalty{static_cast<float>(s.repetition_penalty)});
  if (s.presence_penalty != 0 || s.frequency_penalty != 0) {
    steps.emplace_back(CountPenalty{static_cast<float>(s.presence_penalty), static_cast<float>(s.frequency_penalty)});
  }
  if (s.no_repeat_ngram_size > 0) steps.emplace_back(NoRepeatNgrams{s.no_repeat_ngram_size});
  if (auto words = without_eos(s); !words.empty()) steps.emplace_back(BadWords{std::move(words)});
}

// A filter says where a text may end: where it has no room to, none is forced.
void add_forced(const GenerationSettings& s, bool filtered, std::size_t max_positions,
                std::vector<SamplerStep>& steps) {
  if (s.forced_bos_token_id) steps.emplace_back(ForceFirst{*s.forced_bos_token_id});
  if (!s.forced_eos_token_ids.empty() && !filtered) {
    const GenerationSettings lengths = {.max_new_tokens = s.max_new_tokens, .max_length = s.max_length};
    steps.emplace_back(ForceLast{s.forced_eos_token_ids, lengths, max_positions});
  }
  if (s.remove_invalid_values) steps.emplace_back(RemoveInvalid{});
  if (!s.suppress_tokens.empty()) steps.emplace_back(Suppress{s.suppress_tokens});
  if (!s.begin_suppress_tokens.empty()) {
    steps.emplace_back(SuppressFirst{s.begin_suppress_tokens, s.forced_bos_token_id.has_value()});
  }
}

void add_sampling(const GenerationSettings& s, std::vector<SamplerStep>& steps) {
  // Beams need a token beside the ones that end them.
  const std::size_t keep = s.num_beams > 1 ? std::max<std::size_t>(2, s.eos_token_ids.size() + 1) : 1;
  if (s.temperature != 1) steps.emplace_back(Temperature{static_cast<float>(s.temperature)});
  if (s.top_k > 0) steps.emplace_back(TopK{std::max(s.top_k, keep)});
  if (s.top_p < 1) steps.emplace_back(TopP{s.top_p, keep});
  if (s.min_p > 0) steps.emplace_back(MinP{s.min_p, keep});
}

}  // namespace

SamplerChain::SamplerChain(const GenerationSettings& settings, std::shared_ptr<const TokenFilter> filter,
                           std::size_t max_positions) {
  check(settings);
  add_penalties(settings, steps_);
  if ((settings.min_new_tokens > 0 || settings.min_length > 0) && !settings.eos_token_ids.empty()) {
    steps_.emplace_back(MinLength{settings.min_new_tokens > 0 ? 0 : settings.min_length, settings.min_new_tokens,
                                  settings.eos_token_ids});
  }
  const bool filtered = filter != nullptr;
  if (filtered) steps_.emplace_back(Filter{std::move(filter), settings.forced_bos_token_id.has_value()});
  add_forced(settings, filtered, max_positions, steps_);
  if (settings.do_sample) add_sampling(settings, steps_);
  if (settings.renormalize_logits) steps_.emplace_back(Renormalize{});
}

void SamplerChain::apply(std::span<float> scores, std::span<const std::int32_t> tokens,
                         std::size_t prompt_length) const {
  const TokensSoFar so_far{tokens, std::min(prompt_length, tokens.size())};
  Scores lazy(scores);
  for (const SamplerStep& step : steps_) {
    std::visit([&](const auto& each) { apply_step(each, lazy, so_far); }, step);
  }
  lazy.dense();
}

std::string SamplerChain::describe() const {
  std::string text;
  for (const SamplerStep& step : steps_) {
    text += std::visit([](const auto& each) { return described(each); }, step) + "\n";
  }
  return text;
}

}  // namespace accelerate::decoding
