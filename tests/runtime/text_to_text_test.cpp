// Encoder-decoders by the public interface: what several texts share, what must not be left of an earlier one, and how
// long a source may be.
#include <gtest/gtest.h>

#include <set>

#include "accelerate/accelerate.hpp"
#include "backends/backend.hpp"
#include "models/golden.hpp"
#include "runtime/generating.hpp"

namespace accelerate {
namespace {

Model open(const std::string& name, const std::string& device = "cpu") {
  return Model::open(text_to_text_folder() / name, {.device = device});
}

constexpr std::size_t kTokens = 10;

// So many tokens, which differ by `first`.
Prompt source_of(std::size_t tokens, std::int32_t first) {
  Prompt prompt;
  for (std::size_t i = 0; i < tokens; ++i) prompt.ids.push_back(static_cast<std::int32_t>((first + 7 * i) % 200 + 20));
  return prompt;
}

class TextToText : public testing::TestWithParam<std::string> {};

TEST_P(TextToText, ABatchGivesWhatEachSourceAloneGives) {
  const std::vector<Prompt> prompts{source_of(40, 1), source_of(3, 5), source_of(17, 9)};
  for (const std::string& name : golden_names(text_to_text_folder())) {
    SCOPED_TRACE(name);
    const Model model = open(name, GetParam());
    const std::vector<Ids> together = ids_of(model.generate(prompts, greedy(kTokens)));
    GenerateOptions beams = greedy(kTokens);
    beams.num_beams = 3;
    const std::vector<Ids> together_by_beams = ids_of(model.generate(prompts, beams));
    for (std::size_t i = 0; i < prompts.size(); ++i) {
      EXPECT_EQ(ids_of(model.generate({&prompts[i], 1}, greedy(kTokens)))[0], together[i]);
      EXPECT_EQ(ids_of(model.generate({&prompts[i], 1}, beams))[0], together_by_beams[i]);
    }
  }
}

// Sources of one length, so that nothing but their numbers differs.
TEST_P(TextToText, NothingIsLeftOfAnEarlierSource) {
  const Model model = open("t5", GetParam());
  std::vector<Prompt> prompts;
  for (std::int32_t first = 0; first < 50; ++first) prompts.push_back(source_of(12, first * 11));
  const std::vector<Ids> together = ids_of(open("t5", GetParam()).generate(prompts, greedy(3)));
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    EXPECT_EQ(ids_of(model.generate({&prompts[i], 1}, greedy(3)))[0], together[i]) << i;
  }
  EXPECT_GT(std::set<Ids>(together.begin(), together.end()).size(), 5U) << "sources of one text show nothing";
}

INSTANTIATE_TEST_SUITE_P(Devices, TextToText, testing::ValuesIn(devices_here()),
                         [](const auto& device) { return device.param; });

TEST(Sources, SeveralTextsOfOneShareIt) {
  const Model model = open("bart");
  const std::vector<Prompt> prompts{source_of(9, 3), source_of(21, 4)};
  GenerateOptions options = greedy(kTokens);
  options.do_sample = true;
  options.seed = 3;
  options.num_return_sequences = 4;
  const Generations found = model.generate(prompts, options);
  EXPECT_EQ(found.times.prompt_tokens, 30);
  for (const auto& texts : found.texts) EXPECT_EQ(texts.size(), 4U);
  // The numbers of a seed go by the place in the batch.
  EXPECT_EQ(
      ids_of(model.generate({prompts.data(), 1}, options)),
      (std::vector<Ids>{found.texts[0][0].ids, found.texts[0][1].ids, found.texts[0][2].ids, found.texts[0][3].ids}));
}

Error error_of_generating(const Model& model, const Prompt& prompt, const GenerateOptions& options) {
  try {
    model.generate({&prompt, 1}, options);
  } catch (const Error& error) {
    return error;
  }
  return {ErrorKind::internal, "nothing was thrown"};
}

TEST(Sources, AreAsLongAsTheEncoderHasPositions) {
  const Model model = open("bart");  // has 128
  EXPECT_EQ(model.generate(std::vector{source_of(128, 2)}, greedy(kTokens)).texts[0][0].ids.size(), 10U);
  const Error error = error_of_generating(model, source_of(129, 2), greedy(kTokens));
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), "prompts[0]");
  EXPECT_NE(error.message().find("129"), std::string::npos) << error.message();
}

TEST(Sources, DistancesHaveNoEnd) {
  // The tokenizer says 512; no position is counted.
  const Model model = open("t5");
  EXPECT_EQ(model.generate(std::vector{source_of(700, 2)}, greedy(kTokens)).texts[0][0].ids.size(), 10U);
}

TEST(Sources, ThatAreCutKeepTheirBeginningAndTheirEndToken) {
  const Model model = open("bart");
  std::string text = "In the beginning God created the heaven and the earth.";
  while (text.size() < 2000) text += " And God said, Let there be light: and there was light.";
  GenerateOptions options = greedy(kTokens);
  EXPECT_EQ(error_of_generating(model, {.text = text}, options).kind(), ErrorKind::invalid_input);
  options.truncate = true;
  const Generations found = model.generate(std::vector<Prompt>{{.text = text}}, options);
  EXPECT_EQ(found.truncated, (std::vector<std::size_t>{0}));
  EXPECT_EQ(found.times.prompt_tokens, 128);
  const std::vector<std::string> texts{text};
  Prompt cut{.ids = tokenize(model.info().folder, texts).front().ids};
  const std::int32_t end = cut.ids.back();
  cut.ids.resize(127);
  cut.ids.push_back(end);
  EXPECT_EQ(ids_of(found), ids_of(model.generate({&cut, 1}, greedy(kTokens))));
}

TEST(Sources, TextsEndWhereTheDecoderHasNoMorePositions) {
  const GeneratedText text = open("bart").generate(std::vector{source_of(100, 2)}, greedy(500)).texts[0][0];
  EXPECT_EQ(text.reason, StopReason::length);
  EXPECT_EQ(text.ids.size(), 127U) << "the start token has the first of 128";
}

}  // namespace
}  // namespace accelerate
