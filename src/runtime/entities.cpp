#include "runtime/entities.hpp"

#include <algorithm>

#include "runtime/scores.hpp"

namespace accelerate::runtime {
namespace {

std::size_t best_label(std::span<const double> scores) {
  return static_cast<std::size_t>(std::ranges::max_element(scores) - scores.begin());
}

Entity entity_of(const LabelledToken& token, const CodePoints& text, std::span<const std::string> labels) {
  const std::size_t label = best_label(token.scores);
  return {labels[label], token.scores[label], token.word, token.index, text.span(token.start, token.end), token.token};
}

std::vector<double> mean_scores(std::span<const LabelledToken> word) {
  std::vector<double> mean(word.front().scores.size(), 0);
  for (const LabelledToken& token : word) {
    for (std::size_t i = 0; i < mean.size(); ++i) mean[i] += token.scores[i] / static_cast<double>(word.size());
  }
  return mean;
}

std::vector<double> word_scores(std::span<const LabelledToken> word, Aggregation aggregation) {
  if (aggregation == Aggregation::first) return word.front().scores;
  if (aggregation == Aggregation::average) return mean_scores(word);
  const auto surest = std::ranges::max_element(
      word, {}, [](const LabelledToken& token) { return token.scores[best_label(token.scores)]; });
  return surest->scores;
}

Entity word_entity(const TextProcessor& processor, std::span<const LabelledToken> word, const CodePoints& text,
                   std::span<const std::string> labels, Aggregation aggregation) {
  const std::vector<double> scores = word_scores(word, aggregation);
  const std::size_t label = best_label(scores);
  std::vector<std::string> tokens;
  for (const LabelledToken& token : word) tokens.push_back(token.word);
  return {labels[label], scores[label], processor.text_of(std::move(tokens)), -1,
          text.span(word.front().start, word.back().end)};
}

std::vector<Entity> word_entities(const TextProcessor& processor, std::span<const LabelledToken> tokens,
                                  const CodePoints& text, std::span<const std::string> labels,
                                  Aggregation aggregation) {
  std::vector<Entity> words;
  for (std::size_t first = 0; first < tokens.size();) {
    std::size_t end = first + 1;
    while (end < tokens.size() && tokens[end].continues_word) ++end;
    words.push_back(word_entity(processor, tokens.subspan(first, end - first), text, labels, aggregation));
    first = end;
  }
  return words;
}

// "B-PER" begins a PER, "I-PER" goes on with one; labels without such a prefix go on.
struct Tag {
  bool begins = false;
  std::string_view name;
};

Tag tag_of(std::string_view label) {
  if (label.starts_with("B-")) return {true, label.substr(2)};
  if (label.starts_with("I-")) return {false, label.substr(2)};
  return {false, label};
}

Entity group_of(const TextProcessor& processor, std::span<const Entity> parts, const CodePoints& text) {
  Entity group;
  const std::string& label = parts.front().label;
  const std::size_t dash = label.find('-');
  group.label = dash == std::string::npos ? label : label.substr(dash + 1);
  std::vector<std::string> words;
  for (const Entity& part : parts) {
    group.score += part.score / static_cast<double>(parts.size());
    words.push_back(part.word);
  }
  group.word = processor.text_of(std::move(words));
  group.span = text.span(parts.front().span.start, parts.back().span.end);
  return group;
}

std::vector<Entity> grouped(const TextProcessor& processor, std::span<const Entity> entities, const CodePoints& text) {
  std::vector<Entity> groups;
  for (std::size_t first = 0; first < entities.size();) {
    std::size_t end = first + 1;
    while (end < entities.size()) {
      const Tag next = tag_of(entities[end].label);
      if (next.begins || next.name != tag_of(entities[end - 1].label).name) break;
      ++end;
    }
    groups.push_back(group_of(processor, entities.subspan(first, end - first), text));
    first = end;
  }
  return groups;
}

// Where the vocabulary does not mark word pieces, a token that no space touches on its left goes on with a word.
bool continues_word(const TextProcessor& processor, const CodePoints& text, const LabelledToken& token) {
  if (processor.marks_continuations()) {
    return static_cast<std::int64_t>(code_point_count(token.word)) != token.end - token.start;
  }
  if (token.start == 0) return false;
  return text.slice(token.start - 1, token.start + 1).find(' ') == std::string_view::npos;
}

}  // namespace

std::vector<LabelledToken> labelled_tokens(const TextProcessor& processor, const text::Encoding& encoding,
                                           const CodePoints& text, std::span<const float> logits, std::size_t labels) {
  const std::optional<std::int32_t> unknown = processor.tokenizer().special_tokens().unk;
  std::vector<LabelledToken> tokens;
  for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
    if (encoding.special_tokens_mask[i] != 0) continue;
    LabelledToken token;
    token.word = token.token = encoding.tokens[i];
    token.scores = scores_of(logits.subspan(i * labels, labels), ScoreFunction::softmax);
    token.start = encoding.offsets[i].begin;
    token.end = encoding.offsets[i].end;
    token.index = static_cast<std::int64_t>(i);
    token.continues_word = continues_word(processor, text, token);
    if (unknown && encoding.ids[i] == *unknown) {
      token.word = text.slice(token.start, token.end);
      token.continues_word = false;
    }
    tokens.push_back(std::move(token));
  }
  return tokens;
}

std::vector<Entity> entities_of(const TextProcessor& processor, std::span<const LabelledToken> tokens,
                                const CodePoints& text, std::span<const std::string> labels, Aggregation aggregation) {
  if (aggregation != Aggregation::none && aggregation != Aggregation::simple) {
    return grouped(processor, word_entities(processor, tokens, text, labels, aggregation), text);
  }
  std::vector<Entity> entities;
  for (const LabelledToken& token : tokens) entities.push_back(entity_of(token, text, labels));
  return aggregation == Aggregation::none ? entities : grouped(processor, entities, text);
}

}  // namespace accelerate::runtime
