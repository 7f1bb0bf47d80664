#include "runtime/answers.hpp"

#include <algorithm>
#include <limits>
#include <string>

#include "runtime/code_points.hpp"
#include "runtime/scores.hpp"
#include "text/unicode.hpp"

namespace accelerate::runtime {
namespace {

struct TokenSpan {
  std::size_t first = 0, last = 0;
  double score = 0;
};

// Tokens that an answer may begin and end with: those of the context, and [CLS].
std::vector<bool> allowed_tokens(const text::Encoding& piece, std::int32_t cls) {
  std::vector<bool> allowed(piece.ids.size());
  for (std::size_t i = 0; i < allowed.size(); ++i) allowed[i] = piece.sequence_ids[i] == 1 || piece.ids[i] == cls;
  return allowed;
}

std::vector<double> probabilities(std::span<const float> logits, const std::vector<bool>& allowed) {
  std::vector<float> masked(logits.begin(), logits.end());
  for (std::size_t i = 0; i < masked.size(); ++i) {
    if (!allowed[i]) masked[i] = -10000.0F;
  }
  return scores_of(masked, ScoreFunction::softmax);
}

// Short contexts have fewer spans than are kept: then spans that score nothing follow, in order of their tokens.
void add_worthless(std::vector<TokenSpan>& spans, std::span<const double> start, std::span<const double> end,
                   std::size_t longest, std::size_t kept) {
  for (std::size_t first = 0; first < start.size() && spans.size() < kept; ++first) {
    for (std::size_t last = 0; last < end.size() && spans.size() < kept; ++last) {
      const bool in_band = last >= first && last - first < longest;
      if (!in_band || start[first] * end[last] <= 0) spans.push_back({first, last, 0});
    }
  }
}

std::vector<TokenSpan> best_spans(std::span<const double> start, std::span<const double> end, std::size_t longest,
                                  std::size_t kept) {
  std::vector<TokenSpan> spans;
  for (std::size_t first = 0; first < start.size(); ++first) {
    for (std::size_t last = first; last < std::min(end.size(), first + longest); ++last) {
      if (const double score = start[first] * end[last]; score > 0) spans.push_back({first, last, score});
    }
  }
  std::ranges::stable_sort(spans, [](const TokenSpan& a, const TokenSpan& b) { return a.score > b.score; });
  if (spans.size() < kept) add_worthless(spans, start, end, longest, kept);
  if (spans.size() > kept) spans.resize(kept);
  return spans;
}

// Code points of the word that a token is part of, by the tokens of it that are in the piece.
std::pair<std::int64_t, std::int64_t> word_characters(const text::Encoding& piece, std::int32_t word) {
  std::pair<std::int64_t, std::int64_t> characters{-1, -1};
  for (std::size_t i = 0; i < piece.ids.size(); ++i) {
    if (piece.sequence_ids[i] != 1 || piece.word_ids[i] != word) continue;
    if (characters.first < 0) characters.first = piece.offsets[i].begin;
    characters.second = piece.offsets[i].end;
  }
  return characters;
}

std::pair<std::int64_t, std::int64_t> characters_of(const text::Encoding& piece, const TokenSpan& span, bool to_words) {
  const std::int32_t first = piece.word_ids[span.first], last = piece.word_ids[span.last];
  if (to_words && first >= 0 && last >= 0) {
    return {word_characters(piece, first).first, word_characters(piece, last).second};
  }
  return {piece.offsets[span.first].begin, piece.offsets[span.last].end};
}

std::string lower(std::string_view text) {
  std::string lowered;
  for (std::size_t at = 0; at < text.size();) {
    const text::Decoded c = text::decode_at(text, at);
    text::append_utf8(lowered, text::Unicode::get().lower(c.value));
    at += c.length;
  }
  return lowered;
}

// Answers with the same text, case aside, are one whose scores add up.
class Collected {
 public:
  void add(Answer answer) {
    std::string key = lower(answer.text);
    for (auto& [known, collected] : answers_) {
      if (known != key) continue;
      collected.score += answer.score;
      return;
    }
    answers_.emplace_back(std::move(key), std::move(answer));
  }
  std::vector<Answer> take() {
    std::vector<Answer> all;
    for (auto& [key, answer] : answers_) all.push_back(std::move(answer));
    return all;
  }

 private:
  std::vector<std::pair<std::string, Answer>> answers_;
};

// Adds the answers of one piece; returns the score of "no answer".
double collect(const ScoredPiece& piece, const CodePoints& context, std::int32_t cls, const AnswerOptions& options,
               Collected& collected) {
  const text::Encoding& encoding = *piece.encoding;
  const std::vector<bool> allowed = allowed_tokens(encoding, cls);
  std::vector<double> start = probabilities(piece.start_logits, allowed);
  std::vector<double> end = probabilities(piece.end_logits, allowed);
  const double empty = start.front() * end.front();
  start.front() = end.front() = 0;
  // More than asked for: aligned to words, several may become the same.
  const std::size_t kept = options.align_to_words ? options.top_k * 2 + 10 : options.top_k;
  for (const TokenSpan& span : best_spans(start, end, static_cast<std::size_t>(options.max_answer_len), kept)) {
    if (!allowed[span.first] || !allowed[span.last]) continue;
    const auto [from, to] = characters_of(encoding, span, options.align_to_words);
    collected.add({std::string(context.slice(from, to)), span.score, context.span(from, to)});
  }
  return empty;
}

}  // namespace

std::vector<Answer> best_answers(std::string_view context, std::span<const ScoredPiece> pieces, std::int32_t cls,
                                 const AnswerOptions& options) {
  const CodePoints code_points(context);
  Collected collected;
  double least_empty = std::numeric_limits<double>::infinity();
  for (const ScoredPiece& piece : pieces) {
    least_empty = std::min(least_empty, collect(piece, code_points, cls, options, collected));
  }
  std::vector<Answer> answers = collected.take();
  if (options.handle_impossible_answer) answers.push_back({"", least_empty, {}});
  std::ranges::stable_sort(answers, [](const Answer& a, const Answer& b) { return a.score > b.score; });
  if (answers.size() > options.top_k) answers.resize(options.top_k);
  return answers;
}

}  // namespace accelerate::runtime
