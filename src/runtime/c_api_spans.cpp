#include <utility>

#include "runtime/c_api.hpp"

// What names pieces of a text: entities and answers. As in c_api_texts.cpp, results are freed through the type that
// callers see.
namespace accelerate::c_api {
namespace {

accelerate_span span_of(const Span& span) { return {span.start, span.end, span.start_byte, span.end_byte}; }

struct OwnedEntities : accelerate_entity_list {
  explicit OwnedEntities(TokenClassifications result) : accelerate_entity_list{}, owned(std::move(result)) {
    for (const std::vector<Entity>& row : owned.entities) {
      std::vector<accelerate_entity>& seen = rows.emplace_back();
      for (const Entity& entity : row) {
        seen.push_back({entity.label.c_str(), entity.score, entity.word.c_str(), entity.index, span_of(entity.span)});
      }
      // What a vector holds stays where it is when the vector is moved.
      listed.push_back({seen.size(), seen.data()});
    }
    count = listed.size();
    items = listed.data();
    truncated_count = owned.truncated.size();
    truncated = owned.truncated.data();
  }
  const TokenClassifications owned;
  std::vector<std::vector<accelerate_entity>> rows;
  std::vector<accelerate_entities> listed;
};

struct OwnedAnswers : accelerate_answer_list {
  explicit OwnedAnswers(std::vector<Answer> result) : accelerate_answer_list{}, owned(std::move(result)) {
    for (const Answer& answer : owned) listed.push_back({answer.text.c_str(), answer.score, span_of(answer.span)});
    count = listed.size();
    items = listed.data();
  }
  const std::vector<Answer> owned;
  std::vector<accelerate_answer> listed;
};

std::vector<std::string> ignored_labels(const accelerate_token_options& options) {
  if (options.ignore_count >= 0) {
    return strings(options.ignore_labels, static_cast<std::size_t>(options.ignore_count), "options.ignore_labels");
  }
  if (options.ignore_count == -1 && options.ignore_labels == nullptr) return TokenOptions{}.ignore_labels;
  // Labels without their number would be dropped without a word.
  throw Error(ErrorKind::invalid_input,
              "is " + std::to_string(options.ignore_count) + ", expected how many ignore_labels there are",
              "options.ignore_count");
}

TokenOptions token_options(const accelerate_token_options* given) {
  const accelerate_token_options defaults = ACCELERATE_TOKEN_OPTIONS;
  const accelerate_token_options options = options_or(given, defaults);
  TokenOptions tokens;
  if (options.aggregation != nullptr) tokens.aggregation = aggregation_named(options.aggregation);
  tokens.ignore_labels = ignored_labels(options);
  tokens.batch = batch_options(options.batch);
  return tokens;
}

AnswerOptions answer_options(const accelerate_answer_options* given) {
  const accelerate_answer_options defaults = ACCELERATE_ANSWER_OPTIONS;
  const accelerate_answer_options options = options_or(given, defaults);
  AnswerOptions answer;
  if (options.top_k != 0) answer.top_k = options.top_k;
  if (options.max_seq_len != 0) answer.max_seq_len = options.max_seq_len;
  if (options.doc_stride != -1) answer.doc_stride = options.doc_stride;
  if (options.max_answer_len != 0) answer.max_answer_len = options.max_answer_len;
  answer.handle_impossible_answer = options.handle_impossible_answer;
  answer.align_to_words = options.align_to_words;
  answer.batch = batch_options(options.batch);
  return answer;
}

}  // namespace
}  // namespace accelerate::c_api

using accelerate::c_api::guarded;
using accelerate::c_api::required;

accelerate_status accelerate_model_classify_tokens(const accelerate_model* model, const char* const* texts,
                                                   size_t count, const accelerate_token_options* options,
                                                   accelerate_entity_list** entities) {
  return guarded([&] {
    *required(entities, "entities") = nullptr;
    const std::vector<std::string> all = accelerate::c_api::strings(texts, count, "texts");
    *entities = new accelerate::c_api::OwnedEntities(
        required(model, "model")->value.classify_tokens(all, accelerate::c_api::token_options(options)));
  });
}

void accelerate_entity_list_free(accelerate_entity_list* entities) {
  delete static_cast<accelerate::c_api::OwnedEntities*>(entities);
}

accelerate_status accelerate_model_answer(const accelerate_model* model, const char* question, const char* context,
                                          const accelerate_answer_options* options, accelerate_answer_list** answers) {
  return guarded([&] {
    *required(answers, "answers") = nullptr;
    *answers = new accelerate::c_api::OwnedAnswers(required(model, "model")
                                                       ->value.answer(required(question, "question"),
                                                                      required(context, "context"),
                                                                      accelerate::c_api::answer_options(options)));
  });
}

void accelerate_answer_list_free(accelerate_answer_list* answers) {
  delete static_cast<accelerate::c_api::OwnedAnswers*>(answers);
}
