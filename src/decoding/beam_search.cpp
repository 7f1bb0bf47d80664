#include "decoding/beam_search.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include "decoding/random.hpp"
#include "decoding/selection.hpp"

namespace accelerate::decoding {
namespace {

// Stands for "never" where -inf would make NaN. In f32 it swallows a usual score: what is compared is part of the
// result, so sums are formed in f32 and in the reference's order.
constexpr float kUnlikely = -1.0e9f;

std::size_t longest(const std::vector<std::vector<std::int32_t>>& prompts) {
  if (prompts.empty()) throw Error(ErrorKind::invalid_input, "found no prompts, expected at least one", "beam search");
  std::size_t length = 0;
  for (const auto& prompt : prompts) {
    if (prompt.empty()) throw Error(ErrorKind::invalid_input, "found a prompt without tokens", "beam search");
    length = std::max(length, prompt.size());
  }
  return length;
}

// Lengths as if all prompts were as long as the longest.
GenerationSettings in_new_tokens(GenerationSettings settings, std::size_t prompt_length, std::size_t max_positions) {
  check(settings);
  std::size_t limit = length_limit(settings, prompt_length, max_positions);
  // The model has no position for more, whatever is asked for.
  if (max_positions > 0) limit = std::min(limit, max_positions);
  if (limit <= prompt_length) {
    throw Error(
        ErrorKind::invalid_input,
        "the prompt has " + std::to_string(prompt_length) + " tokens, the maximum length is " + std::to_string(limit),
        "max_length", "set max_new_tokens");
  }
  settings.max_new_tokens = limit - prompt_length;
  if (settings.min_new_tokens == 0 && settings.min_length > prompt_length) {
    settings.min_new_tokens = settings.min_length - prompt_length;
  }
  settings.min_length = 0;
  return settings;
}

// At least as many as beams must go on, however many of the best end.
std::size_t kept_candidates(const GenerationSettings& settings) {
  return std::max<std::size_t>(2, 1 + settings.eos_token_ids.size()) * settings.num_beams;
}

bool contains(const std::vector<std::int32_t>& ids, std::int32_t token) {
  return std::find(ids.begin(), ids.end(), token) != ids.end();
}

float length_factor(std::size_t length, double penalty) {
  return static_cast<float>(std::pow(static_cast<double>(length), penalty));
}

// Largest first after a random number is added to each: a draw without replacement (Vieira 2014, "Gumbel-max trick").
std::vector<Scored> drawn(std::span<const float> scores, std::size_t count, std::uint64_t seed, std::size_t item,
                          std::size_t position) {
  std::vector<float> moved(scores.begin(), scores.end());
  for (std::size_t i = 0; i < moved.size(); ++i) {
    if (moved[i] == -std::numeric_limits<float>::infinity()) continue;
    const double u = uniform(seed, item, static_cast<std::uint32_t>(position), static_cast<std::uint32_t>(i));
    moved[i] += static_cast<float>(-std::log(-std::log(u + 0x1.0p-54)));
  }
  std::vector<Scored> best = top_k(moved, count);
  for (Scored& each : best) each.value = scores[static_cast<std::size_t>(each.index)];
  return best;
}

}  // namespace

BeamSearch::BeamSearch(const GenerationSettings& settings, std::vector<std::vector<std::int32_t>> prompts,
                       std::size_t vocabulary, BeamOptions options)
    : settings_(in_new_tokens(settings, longest(prompts), options.max_positions)),
      options_(std::move(options)),
      chain_(settings_, options_.filter),
      vocabulary_(vocabulary),
      max_new_(settings_.max_new_tokens) {
  if (kept_candidates(settings_) > beams() * vocabulary_) {
    throw Error(ErrorKind::invalid_input, "found a vocabulary of " + std::to_string(vocabulary_) +
                                              " tokens, expected more than eos ids and at least 2");
  }
  for (std::vector<std::int32_t>& prompt : prompts) {
    Item item;
    item.prompt_length = prompt.size();
    item.kept.assign(beams(), {.score = kUnlikely});
    // Equal beams would choose equal tokens: only the first counts in the first step.
    item.running.assign(beams(), {.tokens = std::move(prompt), .score = kUnlikely});
    item.running.front().score = 0;
    items_.push_back(std::move(item));
  }
}

bool BeamSearch::all_kept_are_finished(const Item& item) const {
  return std::all_of(item.kept.begin(), item.kept.end(), [](const Kept& each) { return each.finished; });
}

bool BeamSearch::done(std::size_t item) const {
  const Item& it = items_.at(item);
  return finished_ || !it.improvable || (settings_.early_stopping == EarlyStopping::yes && all_kept_are_finished(it));
}

bool BeamSearch::stuck() const {
  // Running beams are in order; no sum of log-probabilities comes near to this.
  constexpr float kNoSum = kUnlikely / 2;
  return std::any_of(items_.begin(), items_.end(), [](const Item& item) {
    return item.running.front().score < kNoSum &&
           std::none_of(item.kept.begin(), item.kept.end(), [](const Kept& each) { return each.finished; });
  });
}

// [num_beams * vocabulary]: of all continuations, the sums of log-probabilities.
std::vector<float> BeamSearch::scores(const Item& item, std::span<const float> logits) const {
  std::vector<float> all(beams() * vocabulary_);
  for (std::size_t beam = 0; beam < beams(); ++beam) {
    const std::span<float> row = std::span(all).subspan(beam * vocabulary_, vocabulary_);
    const auto from = logits.size() == vocabulary_ ? logits : logits.subspan(beam * vocabulary_, vocabulary_);
    std::copy(from.begin(), from.end(), row.begin());
    log_softmax(row);
    chain_.apply(row, item.running[beam].tokens, item.prompt_length);
    for (float& score : row) score += item.running[beam].score;
  }
  return all;
}

std::vector<BeamSearch::Candidate> BeamSearch::candidates(std::size_t index, std::span<const float> logits) const {
  const std::vector<float> all = scores(items_[index], logits);
  const std::size_t count = kept_candidates(settings_);
  std::vector<Candidate> found;
  for (const Scored& each :
       settings_.do_sample ? drawn(all, count, settings_.seed, index, generated_) : top_k(all, count)) {
    const auto at = static_cast<std::size_t>(each.index);
    found.push_back({at / vocabulary_, static_cast<std::int32_t>(at % vocabulary_), each.value, false});
  }
  mark_ends(items_[index], found);
  return found;
}

void BeamSearch::mark_ends(const Item& item, std::vector<Candidate>& found) const {
  for (Candidate& each : found) {
    each.ends = generated_ + 1 >= max_new_ || contains(settings_.eos_token_ids, each.token) ||
                contains(settings_.stop_token_ids, each.token);
    if (each.ends || !options_.stops) continue;
    std::vector<std::int32_t> ids = item.running[each.beam].tokens;
    ids.push_back(each.token);
    each.ends = options_.stops(std::span<const std::int32_t>(ids).subspan(item.prompt_length));
  }
}

void BeamSearch::keep_finished(Item& item, std::span<const Candidate> found) const {
  const float factor = length_factor(generated_ + 1, settings_.length_penalty);
  std::vector<float> merged;
  for (const Kept& each : item.kept) merged.push_back(each.score);
  for (std::size_t i = 0; i < found.size(); ++i) {
    float score = found[i].score / factor;
    // Those behind the first num_beams are there to go on, not to end.
    if (!found[i].ends || i >= beams()) score += kUnlikely;
    merged.push_back(score);
  }
  std::vector<Kept> kept;
  for (const Scored& each : top_k(merged, beams())) {
    const auto at = static_cast<std::size_t>(each.index);
    if (at < beams()) {
      kept.push_back(item.kept[at]);
      continue;
    }
    const Candidate& from = found[at - beams()];
    const std::vector<std::int32_t>& tokens = item.running[from.beam].tokens;
    std::vector<std::int32_t> ids(tokens.begin() + static_cast<std::ptrdiff_t>(item.prompt_length), tokens.end());
    ids.push_back(from.token);
    kept.push_back({std::move(ids), each.value, from.ends && at - beams() < beams()});
  }
  item.kept = std::move(kept);
}

void BeamSearch::go_on(Item& item, std::span<const Candidate> found, std::size_t first_beam, BeamStep& step) const {
  std::vector<float> open;
  for (const Candidate& each : found) open.push_back(each.ends ? each.score + kUnlikely : each.score);
  std::vector<Running> next;
  for (const Scored& each : top_k(open, beams())) {
    const Candidate& from = found[static_cast<std::size_t>(each.index)];
    next.push_back({item.running[from.beam].tokens, each.value});
    next.back().tokens.push_back(from.token);
    step.parents.push_back(static_cast<std::int32_t>(first_beam + from.beam));
    step.tokens.push_back(from.token);
  }
  item.running = std::move(next);
}

// Can a running sequence still become better than the worst that is kept? Called with generated_ counting this step.
void BeamSearch::judge(Item& item) const {
  const bool longest_counts = settings_.early_stopping == EarlyStopping::never && settings_.length_penalty > 0;
  const float best =
      item.running.front().score / length_factor(longest_counts ? max_new_ : generated_, settings_.length_penalty);
  float worst = item.kept.front().score;
  for (const Kept& each : item.kept) worst = std::min(worst, each.score);
  item.improvable = item.improvable && std::any_of(item.kept.begin(), item.kept.end(), [&](const Kept& each) {
                      return best > (each.finished ? worst : kUnlikely);
                    });
}

BeamStep BeamSearch::advance(std::span<const float> logits) {
  if (finished_) throw Error(ErrorKind::invalid_input, "the search is finished", "beam search");
  const bool one_row = generated_ == 0 && logits.size() == batch() * vocabulary_;
  if (!one_row && logits.size() != batch() * beams() * vocabulary_) {
    throw Error(ErrorKind::invalid_input, "found " + std::to_string(logits.size()) + " logits, expected " +
                                              std::to_string(batch() * beams()) + " times " +
                                              std::to_string(vocabulary_));
  }
  const std::size_t size = (one_row ? 1 : beams()) * vocabulary_;
  BeamStep step;
  bool all_end = true;
  for (std::size_t i = 0; i < batch(); ++i) {
    if (done(i)) {
      for (std::size_t beam = 0; beam < beams(); ++beam) {
        step.parents.push_back(static_cast<std::int32_t>(i * beams() + beam));
        step.tokens.push_back(settings_.pad_token_id.value_or(0));
      }
      continue;
    }
    const std::vector<Candidate> found = candidates(i, logits.subspan(i * size, size));
    all_end = all_end && std::all_of(found.begin(), found.end(), [](const Candidate& each) { return each.ends; });
    keep_finished(items_[i], found);
    go_on(items_[i], found, i * beams(), step);
  }
  ++generated_;
  bool improvable = false, all_finished = true;
  for (Item& item : items_) {
    judge(item);
    improvable = improvable || item.improvable;
    all_finished = all_finished && all_kept_are_finished(item);
  }
  finished_ = all_end || !improvable || (all_finished && settings_.early_stopping == EarlyStopping::yes);
  return step;
}

std::vector<BeamResult> BeamSearch::results() const {
  std::vector<BeamResult> all;
  for (const Item& item : items_) {
    for (std::size_t i = 0; i < settings_.num_return_sequences; ++i) {
      all.push_back({item.kept[i].ids, item.kept[i].score});
    }
  }
  return all;
}

}  // namespace accelerate::decoding
