// Steps that look at tokens: penalties, bans and forced tokens. Those that look at scores are in warpers.cpp.
#include "decoding/sampler_steps.hpp"

#include <algorithm>
#include <limits>

namespace accelerate::decoding {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

bool has(std::span<const float> scores, std::int32_t token) {
  return token >= 0 && static_cast<std::size_t>(token) < scores.size();
}

void ban(std::span<float> scores, std::span<const std::int32_t> tokens) {
  for (const std::int32_t token : tokens) {
    if (has(scores, token)) scores[static_cast<std::size_t>(token)] = kNever;
  }
}

// Nothing but these tokens.
void force(std::span<float> scores, std::span<const std::int32_t> tokens) {
  std::fill(scores.begin(), scores.end(), kNever);
  for (const std::int32_t token : tokens) {
    if (has(scores, token)) scores[static_cast<std::size_t>(token)] = 0;
  }
}

}  // namespace

void apply_step(const RepetitionPenalty& step, Scores& lazy, const TokensSoFar& tokens) {
  const std::span<float> scores = lazy.dense();
  std::vector<std::uint64_t> seen((scores.size() + 63) / 64);
  for (const std::int32_t token : tokens.all) {
    if (!has(scores, token)) continue;
    const auto id = static_cast<std::size_t>(token);
    const std::uint64_t bit = std::uint64_t{1} << (id % 64);
    if ((seen[id / 64] & bit) != 0) continue;
    seen[id / 64] |= bit;
    scores[id] = scores[id] < 0 ? scores[id] * step.penalty : scores[id] / step.penalty;
  }
}

void apply_step(const CountPenalty& step, Scores& lazy, const TokensSoFar& tokens) {
  const std::span<float> scores = lazy.dense();
  std::vector<std::int32_t> sorted(tokens.generated().begin(), tokens.generated().end());
  std::sort(sorted.begin(), sorted.end());
  for (std::size_t i = 0; i < sorted.size();) {
    std::size_t end = i + 1;
    while (end < sorted.size() && sorted[end] == sorted[i]) ++end;
    if (has(scores, sorted[i])) {
      float& score = scores[static_cast<std::size_t>(sorted[i])];
      score -= step.frequency * static_cast<float>(end - i);
      score -= step.presence;
    }
    i = end;
  }
}

void apply_step(const NoRepeatNgrams& step, Scores& lazy, const TokensSoFar& tokens) {
  const std::span<const std::int32_t> all = tokens.all;
  if (step.size == 0 || all.size() < step.size) return;
  const std::span<float> scores = lazy.dense();
  const auto prefix = all.last(step.size - 1);
  for (std::size_t i = 0; i + step.size <= all.size(); ++i) {
    if (std::equal(prefix.begin(), prefix.end(), all.begin() + static_cast<std::ptrdiff_t>(i))) {
      ban(scores, all.subspan(i + step.size - 1, 1));
    }
  }
}

void apply_step(const BadWords& step, Scores& lazy, const TokensSoFar& tokens) {
  const std::span<float> scores = lazy.dense();
  for (const auto& word : step.words) {
    for (const std::int32_t token : word) {
      if (!has(scores, token)) {
        throw Error(ErrorKind::invalid_input,
                    "found token " + std::to_string(token) + ", expected one of " + std::to_string(scores.size()),
                    "bad_words_ids");
      }
    }
    const std::size_t before = word.size() - 1;
    if (tokens.all.size() < before) continue;
    if (std::equal(word.begin(), word.end() - 1, tokens.all.last(before).begin())) {
      ban(scores, std::span(word).last(1));
    }
  }
}

void apply_step(const MinLength& step, Scores& lazy, const TokensSoFar& tokens) {
  if (tokens.all.size() < step.total || tokens.generated().size() < step.new_tokens) {
    ban(lazy.dense(), step.eos);
  }
}

void apply_step(const Filter& step, Scores& lazy, const TokensSoFar& tokens) {
  const bool after = step.after_forced && tokens.prompt_length <= 1;
  if (after && tokens.generated().empty()) return;
  const std::span<float> scores = lazy.dense();
  std::vector<std::uint64_t> allowed((scores.size() + 63) / 64);
  if (!step.filter->allow(tokens.all, tokens.prompt_length + (after ? 1 : 0), allowed)) return;
  // Masks are mostly full or mostly empty: words of them are.
  for (std::size_t begin = 0; begin < scores.size(); begin += 64) {
    const std::uint64_t word = allowed[begin / 64];
    const std::span<float> part = scores.subspan(begin, std::min<std::size_t>(64, scores.size() - begin));
    if (word == 0) {
      std::fill(part.begin(), part.end(), kNever);
    } else if (word != ~std::uint64_t{0}) {
      for (std::size_t i = 0; i < part.size(); ++i) part[i] = (word >> i & 1) == 0 ? kNever : part[i];
    }
  }
}

void apply_step(const ForceFirst& step, Scores& lazy, const TokensSoFar& tokens) {
  if (tokens.all.size() == 1) force(lazy.dense(), std::span(&step.token, 1));
}

void apply_step(const ForceLast& step, Scores& lazy, const TokensSoFar& tokens) {
  if (tokens.all.size() + 1 == length_limit(step.lengths, tokens.prompt_length, step.max_positions)) {
    force(lazy.dense(), step.tokens);
  }
}

void apply_step(const RemoveInvalid&, Scores& lazy, const TokensSoFar&) {
  constexpr float kLargest = std::numeric_limits<float>::max();
  for (float& score : lazy.dense()) score = score != score ? 0 : std::clamp(score, -kLargest, kLargest);
}

void apply_step(const Suppress& step, Scores& lazy, const TokensSoFar&) { ban(lazy.dense(), step.tokens); }

void apply_step(const SuppressFirst& step, Scores& lazy, const TokensSoFar& tokens) {
  const bool after = step.after_forced && tokens.prompt_length <= 1;
  if (tokens.generated().size() == (after ? 1U : 0U)) ban(lazy.dense(), step.tokens);
}

}  // namespace accelerate::decoding
