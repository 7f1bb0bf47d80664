// What is made of logits: scores, the best of them, entities and answers, on numbers small enough to see.
#include "runtime/answers.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "runtime/code_points.hpp"
#include "runtime/scores.hpp"

namespace accelerate::runtime {
namespace {

TEST(Scores, Functions) {
  const std::vector<float> logits{0, std::log(3.0F)};
  EXPECT_NEAR(scores_of(logits, ScoreFunction::softmax)[1], 0.75, 1e-7);
  EXPECT_NEAR(scores_of(logits, ScoreFunction::sigmoid)[1], 0.75, 1e-7);
  EXPECT_NEAR(scores_of(logits, ScoreFunction::tanh)[1], 0.8, 1e-7);
  EXPECT_EQ(scores_of(logits, ScoreFunction::none)[1], double{logits[1]});
  const std::vector<float> large{1e4F, 1e4F};
  EXPECT_EQ(scores_of(large, ScoreFunction::softmax)[0], 0.5);
}

TEST(Scores, BestOfEqualOnesIsTheFirst) {
  const std::vector<double> values{1, 3, 3, 2};
  EXPECT_EQ(best(values, 3), (std::vector<std::size_t>{1, 2, 3}));
  EXPECT_EQ(best(values, 9).size(), 4U);
}

ScoreFunction of_config(const char* json, std::size_t labels) {
  return score_function_of(Config(Json::parse(json, "test"), "config.json"), std::nullopt, labels);
}

TEST(Scores, FunctionThatAFolderAsksFor) {
  EXPECT_EQ(of_config("{}", 3), ScoreFunction::softmax);
  EXPECT_EQ(of_config("{}", 1), ScoreFunction::sigmoid);
  EXPECT_EQ(of_config(R"({"problem_type": "regression"})", 1), ScoreFunction::none);
  EXPECT_EQ(of_config(R"({"problem_type": "multi_label_classification"})", 3), ScoreFunction::sigmoid);
  EXPECT_EQ(of_config(R"({"sentence_transformers": {"activation_fn": "torch.nn.modules.linear.Identity"}})", 1),
            ScoreFunction::none);
  EXPECT_EQ(of_config(R"({"sbert_ce_default_activation_function": "torch.nn.modules.activation.Sigmoid"})", 3),
            ScoreFunction::sigmoid);
  EXPECT_THROW(of_config(R"({"sentence_transformers": {"activation_fn": "mine.Odd"}})", 1), Error);
  EXPECT_THROW(score_function_named("relu"), Error);
}

TEST(CodePoints, SpansInCodePointsAndBytes) {
  const CodePoints text("na\xc3\xafve \xf0\x9f\x99\x82!");
  EXPECT_EQ(text.count(), 8);
  EXPECT_EQ(text.slice(0, 5), "na\xc3\xafve");
  const Span smile = text.span(6, 7);
  EXPECT_EQ(smile.start_byte, 7);
  EXPECT_EQ(smile.end_byte, 11);
  EXPECT_EQ(text.slice(7, 99), "!");
  EXPECT_EQ(CodePoints("").span(0, 5).end, 0);
}

// [CLS] who [SEP] a big  red dog [SEP], the last word in two tokens.
text::Encoding encoding() {
  text::Encoding piece;
  piece.ids = {101, 5, 102, 6, 7, 8, 9, 10, 102};
  piece.word_ids = {-1, 0, -1, 0, 1, 2, 3, 3, -1};
  piece.sequence_ids = {-1, 0, -1, 1, 1, 1, 1, 1, -1};
  piece.offsets = {{0, 0}, {0, 3}, {0, 0}, {0, 1}, {2, 5}, {7, 10}, {11, 12}, {12, 14}, {0, 0}};
  return piece;
}
constexpr std::string_view kContext = "a big  red dog";

std::vector<Answer> answers(const std::vector<float>& start, const std::vector<float>& end, AnswerOptions options) {
  const text::Encoding piece = encoding();
  const ScoredPiece scored{&piece, start, end};
  return best_answers(kContext, {&scored, 1}, 101, options);
}

TEST(Answers, TheQuestionIsNoAnswerAndWordsAreWhole) {
  const std::vector<Answer> found = answers({0, 50, 0, 0, 9, 0, 0, 0, 0}, {0, 50, 0, 0, 0, 0, 9, 0, 0}, {.top_k = 1});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].text, "big  red dog");
  EXPECT_EQ(found[0].span.start, 2);
  EXPECT_EQ(found[0].span.end, 14);
  EXPECT_EQ(
      answers({0, 50, 0, 0, 9, 0, 0, 0, 0}, {0, 50, 0, 0, 0, 0, 9, 0, 0}, {.top_k = 1, .align_to_words = false})[0]
          .text,
      "big  red d");
}

TEST(Answers, LengthIsInTokens) {
  const std::vector<Answer> found =
      answers({0, 0, 0, 9, 0, 0, 0, 0, 0}, {0, 0, 0, 0, 0, 9, 0, 0, 0}, {.top_k = 1, .max_answer_len = 2});
  EXPECT_EQ(found[0].text.size() > 0, true);
  EXPECT_NE(found[0].text, "a big  red");
}

TEST(Answers, NoAnswerCompetesWhenAskedFor) {
  const std::vector<float> cls{9, 0, 0, 0, 0, 0, 0, 0, 0};
  EXPECT_NE(answers(cls, cls, {.top_k = 1})[0].text, "");
  const std::vector<Answer> found = answers(cls, cls, {.top_k = 1, .handle_impossible_answer = true});
  EXPECT_EQ(found[0].text, "");
  EXPECT_EQ(found[0].span.end, 0);
  EXPECT_GT(found[0].score, 0.9);
}

TEST(Answers, EqualTextsAddUp) {
  // Both tokens of "dog" grow to the same word.
  const std::vector<Answer> found = answers({0, 0, 0, 0, 0, 0, 9, 9, 0}, {0, 0, 0, 0, 0, 0, 9, 9, 0}, {.top_k = 1});
  EXPECT_EQ(found[0].text, "dog");
  EXPECT_NEAR(found[0].score, 0.75, 0.01);
}

}  // namespace
}  // namespace accelerate::runtime
