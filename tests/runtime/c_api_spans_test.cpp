// The C interface to what ranks texts and finds pieces of them: what it gives is what the C++ one gives.
#include <gtest/gtest.h>

#include "accelerate/accelerate.h"
#include "runtime/c_api_opened.hpp"

namespace accelerate {
namespace {

const char* const kTexts[] = {"In the beginning God created the heaven and the earth.", "Hello!",
                              "The na\xc3\xafve caf\xc3\xa9 owner can't pay 42 dollars."};
const std::vector<std::string> kSame{kTexts[0], kTexts[1], kTexts[2]};
const char* const kQuestion = "Who made the stars?";
const char* const kContext = "And God made two great lights; he made the stars also.";
const char* const kLong =
    "And the evening and the morning were the first day. And God said, Let there be a firmament in the midst of the "
    "waters, and let it divide the waters from the waters.";

void expect_span(const accelerate_span& found, const Span& expected) {
  EXPECT_EQ(found.start, expected.start);
  EXPECT_EQ(found.end, expected.end);
  EXPECT_EQ(found.start_byte, expected.start_byte);
  EXPECT_EQ(found.end_byte, expected.end_byte);
}

void expect_entities(const accelerate_entity_list& found, const TokenClassifications& expected) {
  ASSERT_EQ(found.count, expected.entities.size());
  for (std::size_t i = 0; i < found.count; ++i) {
    ASSERT_EQ(found.items[i].count, expected.entities[i].size()) << "text " << i;
    for (std::size_t j = 0; j < found.items[i].count; ++j) {
      const accelerate_entity& one = found.items[i].entities[j];
      const Entity& want = expected.entities[i][j];
      EXPECT_EQ(one.label, want.label);
      EXPECT_NEAR(one.score, want.score, 1e-6);
      EXPECT_EQ(one.word, want.word);
      EXPECT_EQ(one.index, want.index);
      expect_span(one.span, want.span);
    }
  }
  EXPECT_EQ(std::vector<std::size_t>(found.truncated, found.truncated + found.truncated_count), expected.truncated);
}

// The answers to kQuestion, or to another one about a long context.
void expect_answers(const Opened& opened, const accelerate_answer_options* options, const AnswerOptions& same,
                    const char* question = kQuestion, const char* context = kContext) {
  accelerate_answer_list* answers = nullptr;
  ASSERT_EQ(accelerate_model_answer(opened.model, question, context, options, &answers), ACCELERATE_OK)
      << accelerate_last_error();
  const std::vector<Answer> expected =
      Model::open(model_folder("bert_question_answering")).answer(question, context, same);
  ASSERT_EQ(answers->count, expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(answers->items[i].text, expected[i].text);
    EXPECT_NEAR(answers->items[i].score, expected[i].score, 1e-6);
    expect_span(answers->items[i].span, expected[i].span);
  }
  accelerate_answer_list_free(answers);
}

TEST(CApiEntities, TokensAndEveryAggregation) {
  const Opened opened("bert_entities");
  const Model model = Model::open(model_folder("bert_entities"));
  accelerate_entity_list* entities = nullptr;
  ASSERT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, nullptr, &entities), ACCELERATE_OK);
  ASSERT_GT(entities->items[0].count, 0U);
  expect_entities(*entities, model.classify_tokens(kSame));
  accelerate_entity_list_free(entities);
  for (const char* name : {"none", "simple", "first", "average", "max"}) {
    accelerate_token_options options = ACCELERATE_TOKEN_OPTIONS;
    options.aggregation = name;
    ASSERT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_OK) << name;
    expect_entities(*entities, model.classify_tokens(kSame, {.aggregation = aggregation_named(name)}));
    accelerate_entity_list_free(entities);
  }
}

TEST(CApiEntities, LabelsThatAreLeftOut) {
  const Opened opened("bert_entities");
  const Model model = Model::open(model_folder("bert_entities"));
  accelerate_token_options options = ACCELERATE_TOKEN_OPTIONS;
  accelerate_entity_list* entities = nullptr;
  options.ignore_count = 0;
  ASSERT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_OK);
  const TokenClassifications all = model.classify_tokens(kSame, {.ignore_labels = {}});
  ASSERT_GT(all.entities[0].size(), model.classify_tokens(kSame).entities[0].size());
  expect_entities(*entities, all);
  accelerate_entity_list_free(entities);
  const char* const ignored[] = {"I-PER", "O"};
  options.ignore_labels = ignored;
  options.ignore_count = 2;
  ASSERT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_OK);
  expect_entities(*entities, model.classify_tokens(kSame, {.ignore_labels = {"I-PER", "O"}}));
  accelerate_entity_list_free(entities);
  for (const std::int64_t count : {-1, -2}) {
    options.ignore_count = count;
    EXPECT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_INVALID_INPUT);
    EXPECT_EQ(entities, nullptr);
    EXPECT_STREQ(accelerate_last_error_where(), "options.ignore_count");
  }
}

TEST(CApiEntities, Failures) {
  const Opened opened("bert_entities"), other("sentence_transformer");
  accelerate_entity_list* entities = nullptr;
  accelerate_token_options options = ACCELERATE_TOKEN_OPTIONS;
  options.aggregation = "median";
  EXPECT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_classify_tokens(other.model, kTexts, 3, nullptr, &entities), ACCELERATE_UNSUPPORTED);
  EXPECT_EQ(accelerate_model_classify_tokens(nullptr, kTexts, 3, nullptr, &entities), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_classify_tokens(opened.model, nullptr, 3, nullptr, &entities), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  accelerate_cancellation* cancellation = accelerate_cancellation_new();
  batch.cancellation = cancellation;
  accelerate_cancel(cancellation);
  options = ACCELERATE_TOKEN_OPTIONS;
  options.batch = &batch;
  EXPECT_EQ(accelerate_model_classify_tokens(opened.model, kTexts, 3, &options, &entities), ACCELERATE_INTERRUPTED);
  EXPECT_EQ(entities, nullptr);
  accelerate_cancellation_free(cancellation);
  accelerate_entity_list_free(nullptr);
}

TEST(CApiAnswers, AsTheOptionsSay) {
  const Opened opened("bert_question_answering");
  expect_answers(opened, nullptr, {});
  accelerate_answer_options options = ACCELERATE_ANSWER_OPTIONS;
  expect_answers(opened, &options, {});
  options.top_k = 12;
  expect_answers(opened, &options, {.top_k = 12});
  options.handle_impossible_answer = true;
  expect_answers(opened, &options, {.top_k = 12, .handle_impossible_answer = true});
  options = ACCELERATE_ANSWER_OPTIONS;
  options.top_k = 2;
  options.align_to_words = false;
  expect_answers(opened, &options, {.top_k = 2, .align_to_words = false});
  options.max_answer_len = 3;
  expect_answers(opened, &options, {.top_k = 2, .max_answer_len = 3, .align_to_words = false});
}

TEST(CApiAnswers, LongContextsInPieces) {
  const Opened opened("bert_question_answering");
  accelerate_answer_options options = ACCELERATE_ANSWER_OPTIONS;
  options.top_k = 2;
  options.max_seq_len = 32;
  for (const std::int64_t stride : {0, 8}) {
    options.doc_stride = stride;
    expect_answers(opened, &options, {.top_k = 2, .max_seq_len = 32, .doc_stride = stride}, "What was divided?", kLong);
  }
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.strict = true;
  options.batch = &batch;
  accelerate_answer_list* answers = nullptr;
  EXPECT_EQ(accelerate_model_answer(opened.model, "What was divided?", kLong, &options, &answers),
            ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(answers, nullptr);
  EXPECT_STREQ(accelerate_last_error_where(), "context");
}

TEST(CApiAnswers, Failures) {
  const Opened opened("bert_question_answering"), other("bert_masked_lm");
  accelerate_answer_list* answers = nullptr;
  EXPECT_EQ(accelerate_model_answer(other.model, kQuestion, kContext, nullptr, &answers), ACCELERATE_UNSUPPORTED);
  EXPECT_EQ(accelerate_model_answer(nullptr, kQuestion, kContext, nullptr, &answers), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_answer(opened.model, nullptr, kContext, nullptr, &answers), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "question");
  EXPECT_EQ(accelerate_model_answer(opened.model, kQuestion, nullptr, nullptr, &answers), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "context");
  EXPECT_EQ(accelerate_model_answer(opened.model, kQuestion, kContext, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  accelerate_answer_options options = ACCELERATE_ANSWER_OPTIONS;
  options.max_answer_len = -1;
  EXPECT_EQ(accelerate_model_answer(opened.model, kQuestion, kContext, &options, &answers), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "question and context: max_answer_len");
  options = ACCELERATE_ANSWER_OPTIONS;
  options.doc_stride = -2;
  EXPECT_EQ(accelerate_model_answer(opened.model, kQuestion, kContext, &options, &answers), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "question and context: doc_stride");
  accelerate_answer_list_free(nullptr);
}

TEST(CApiRanking, TheBestFirst) {
  const Opened opened("cross_encoder");
  const char* const documents[] = {"Hello!", kContext, "And God said, Let there be light."};
  const std::vector<std::string> same{documents[0], documents[1], documents[2]};
  const Model model = Model::open(model_folder("cross_encoder"));
  accelerate_ranking* ranking = nullptr;
  ASSERT_EQ(accelerate_model_rerank(opened.model, kQuestion, documents, 3, nullptr, &ranking), ACCELERATE_OK);
  const Ranking expected = model.rerank(kQuestion, same);
  ASSERT_EQ(ranking->count, 3U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(ranking->documents[i].index, expected.documents[i].index);
    EXPECT_NEAR(ranking->documents[i].score, expected.documents[i].score, 1e-6);
  }
  EXPECT_EQ(ranking->truncated_count, 0U);
  accelerate_ranking_free(ranking);
  accelerate_classify_options options = ACCELERATE_CLASSIFY_OPTIONS;
  options.top_k = 1;
  options.activation = "none";
  ASSERT_EQ(accelerate_model_rerank(opened.model, kQuestion, documents, 3, &options, &ranking), ACCELERATE_OK);
  ASSERT_EQ(ranking->count, 1U);
  EXPECT_NEAR(ranking->documents[0].score, model.rerank(kQuestion, same, {.activation = "none"}).documents[0].score,
              1e-6);
  accelerate_ranking_free(ranking);
  ASSERT_EQ(accelerate_model_rerank(opened.model, kQuestion, nullptr, 0, nullptr, &ranking), ACCELERATE_OK);
  EXPECT_EQ(ranking->count, 0U);
  accelerate_ranking_free(ranking);
}

TEST(CApiRanking, DocumentsThatAreTooLong) {
  const Opened opened("cross_encoder");
  std::string book;
  for (int i = 0; i < 200; ++i) book += std::string(kLong) + " ";
  const char* const documents[] = {"Hello!", book.c_str()};
  accelerate_ranking* ranking = nullptr;
  ASSERT_EQ(accelerate_model_rerank(opened.model, kQuestion, documents, 2, nullptr, &ranking), ACCELERATE_OK);
  ASSERT_EQ(ranking->truncated_count, 1U);
  EXPECT_EQ(ranking->truncated[0], 1U);
  accelerate_ranking_free(ranking);
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.strict = true;
  accelerate_classify_options options = ACCELERATE_CLASSIFY_OPTIONS;
  options.batch = &batch;
  EXPECT_EQ(accelerate_model_rerank(opened.model, kQuestion, documents, 2, &options, &ranking),
            ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(ranking, nullptr);
}

TEST(CApiRanking, Failures) {
  const Opened opened("cross_encoder"), classes("bert_sequence_classification");
  const char* const broken[] = {"Hello!", nullptr};
  accelerate_ranking* ranking = nullptr;
  EXPECT_EQ(accelerate_model_rerank(classes.model, kQuestion, kTexts, 3, nullptr, &ranking), ACCELERATE_UNSUPPORTED);
  EXPECT_EQ(accelerate_model_rerank(nullptr, kQuestion, kTexts, 3, nullptr, &ranking), ACCELERATE_INVALID_INPUT);
  EXPECT_EQ(accelerate_model_rerank(opened.model, nullptr, kTexts, 3, nullptr, &ranking), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "query");
  EXPECT_EQ(accelerate_model_rerank(opened.model, kQuestion, broken, 2, nullptr, &ranking), ACCELERATE_INVALID_INPUT);
  EXPECT_STREQ(accelerate_last_error_where(), "documents[1]");
  EXPECT_EQ(accelerate_model_rerank(opened.model, kQuestion, kTexts, 3, nullptr, nullptr), ACCELERATE_INVALID_INPUT);
  accelerate_ranking_free(nullptr);
}

}  // namespace
}  // namespace accelerate
