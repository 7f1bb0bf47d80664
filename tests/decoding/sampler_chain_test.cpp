// Scores after the chain are those of Transformers' logits processors (tests/goldens/decoding/processors.jsonl).
#include "decoding/sampler_chain.hpp"

#include <cmath>

#include "decoding/golden_rows.hpp"

namespace accelerate::decoding {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

void expect_equal(const std::vector<float>& found, const std::vector<float>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (std::isinf(expected[i])) {
      EXPECT_EQ(found[i], expected[i]) << i;
    } else {
      EXPECT_NEAR(found[i], expected[i], 1e-6f * (1 + std::abs(expected[i]))) << i;
    }
  }
}

TEST(SamplerChain, EqualsTransformersInEveryRow) {
  const std::vector<Json> rows = lines_of(goldens() / "decoding" / "processors.jsonl");
  ASSERT_GT(rows.size(), 100U);
  for (const Json& row : rows) {
    SCOPED_TRACE(row.dump().substr(0, 400));
    const SamplerChain chain(settings_from(row.at("settings")));
    std::vector<float> scores = floats(row.at("scores"));
    chain.apply(scores, integers(row.at("tokens")), static_cast<std::size_t>(row.at("prompt_length").as_int()));
    expect_equal(scores, floats(row.at("expected")));
  }
}

TEST(SamplerChain, SaysItsStepsInTheirOrder) {
  const SamplerChain chain(GenerationSettings{.min_new_tokens = 2,
                                              .do_sample = true,
                                              .temperature = 0.5,
                                              .top_p = 0.9,
                                              .min_p = 0.25,
                                              .repetition_penalty = 1.5,
                                              .presence_penalty = 1,
                                              .frequency_penalty = 0.5,
                                              .no_repeat_ngram_size = 3,
                                              .bad_words_ids = {{5}, {7}},
                                              .suppress_tokens = {1, 2},
                                              .renormalize_logits = true,
                                              .eos_token_ids = {7}});
  EXPECT_EQ(chain.describe(),
            "repetition_penalty 1.5\n"
            "presence_penalty 1.0 frequency_penalty 0.5\n"
            "no_repeat_ngram_size 3\n"
            "bad_words_ids (1)\n"  // the eos alone is none
            "min_new_tokens 2\n"
            "suppress_tokens 1 2\n"
            "temperature 0.5\n"
            "top_k 50\n"
            "top_p 0.9\n"
            "min_p 0.25\n"
            "renormalize_logits\n");
  // Without sampling nothing is left out.
  EXPECT_EQ(SamplerChain(GenerationSettings{.temperature = 0.5, .top_p = 0.9}).describe(), "");
}

TEST(SamplerChain, CountsGeneratedTokensOnly) {
  // Logits less frequency times the count and presence once, as OpenAI documents them.
  const SamplerChain chain(GenerationSettings{.presence_penalty = 0.5, .frequency_penalty = 0.25});
  std::vector<float> scores(6, 1.0f);
  chain.apply(scores, std::vector<std::int32_t>{1, 1, 2, /* generated */ 2, 3, 3, 3}, 3);
  EXPECT_EQ(scores, (std::vector<float>{1, 1, 0.25f, -0.25f, 1, 1}));
}

TEST(SamplerChain, ReplacesWhatIsNoNumberWhereAsked) {
  std::vector<float> scores = {std::nanf(""), -kNever, kNever, 2};
  SamplerChain(GenerationSettings{.remove_invalid_values = true}).apply(scores, {}, 0);
  constexpr float kLargest = std::numeric_limits<float>::max();
  EXPECT_EQ(scores, (std::vector<float>{0, kLargest, -kLargest, 2}));
}

TEST(SamplerChain, AnNgramMayBeTheWholeText) {
  std::vector<float> scores(4, 1.0f);
  const SamplerChain chain({NoRepeatNgrams{2}});
  chain.apply(scores, std::vector<std::int32_t>{3}, 1);
  EXPECT_EQ(scores, (std::vector<float>{1, 1, 1, 1}));
  chain.apply(scores, std::vector<std::int32_t>{3, 3}, 1);
  EXPECT_EQ(scores, (std::vector<float>{1, 1, 1, kNever}));
}

class EvenTokens final : public TokenFilter {
 public:
  bool allow(std::span<const std::int32_t> tokens, std::size_t prompt_length,
             std::span<std::uint64_t> allowed) const override {
    if (tokens.size() == prompt_length) return false;  // any may be the first
    for (std::uint64_t& word : allowed) word = 0x5555555555555555;
    return true;
  }
  std::string_view name() const override { return "even"; }
};

TEST(SamplerChain, AFilterHasItsPlace) {
  const SamplerChain chain(GenerationSettings{.min_new_tokens = 2, .suppress_tokens = {2}, .eos_token_ids = {4}},
                           std::make_shared<EvenTokens>());
  EXPECT_EQ(chain.describe(), "min_new_tokens 2\nfilter even\nsuppress_tokens 2\n");
  std::vector<float> scores(70, 1.0f);
  chain.apply(scores, std::vector<std::int32_t>{9, 9}, 2);
  EXPECT_EQ(scores[3], 1);
  chain.apply(scores, std::vector<std::int32_t>{9, 9, 1}, 2);
  for (std::size_t i = 0; i < scores.size(); ++i) EXPECT_EQ(scores[i], i % 2 == 0 && i != 2 && i != 4 ? 1 : kNever);
}

// Which token comes first is forced, and the text of the filter begins behind it; none is forced to end it.
TEST(SamplerChain, AFilterBeginsBehindAForcedTokenAndEndsTextsItself) {
  const SamplerChain chain(
      GenerationSettings{.max_new_tokens = 3, .forced_bos_token_id = 5, .forced_eos_token_ids = {4}},
      std::make_shared<EvenTokens>());
  EXPECT_EQ(chain.describe(), "filter even\nforced_bos_token_id 5\n");
  const auto left = [&](const std::vector<std::int32_t>& tokens, std::size_t prompt_length) {
    std::vector<float> scores(8, 1.0f);
    chain.apply(scores, tokens, prompt_length);
    std::vector<int> found;
    for (int i = 0; i < 8; ++i) {
      if (scores[static_cast<std::size_t>(i)] != kNever) found.push_back(i);
    }
    return found;
  };
  EXPECT_EQ(left({9}, 1), (std::vector{5}));
  EXPECT_EQ(left({9, 5}, 1).size(), 8U);  // the filter's first token
  EXPECT_EQ(left({9, 5, 1}, 1), (std::vector{0, 2, 4, 6}));
  // Nothing is forced behind a longer prompt.
  EXPECT_EQ(left({9, 9}, 2).size(), 8U);
  EXPECT_EQ(left({9, 9, 1}, 2), (std::vector{0, 2, 4, 6}));
  EXPECT_EQ(left({9, 9, 1, 2}, 2), (std::vector{0, 2, 4, 6}));
}

TEST(SamplerChain, TokensBeyondTheVocabularyAreSkippedOrRefused) {
  std::vector<float> scores(4, 1.0f);
  const SamplerChain chain(
      GenerationSettings{.repetition_penalty = 2, .no_repeat_ngram_size = 1, .suppress_tokens = {-1, 99}});
  chain.apply(scores, std::vector<std::int32_t>{3, 50, -2}, 1);
  EXPECT_EQ(scores, (std::vector<float>{1, 1, 1, kNever}));
  const SamplerChain bad(GenerationSettings{.bad_words_ids = {{4}}});
  EXPECT_THROW(bad.apply(scores, {}, 0), Error);
}

TEST(SamplerChain, RefusesSettingsOutOfTheirRange) {
  const auto refused = [](const GenerationSettings& settings) {
    try {
      const SamplerChain chain(settings);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
      return error.where();
    }
    return std::string("nothing");
  };
  EXPECT_EQ(refused({.do_sample = true, .temperature = 0}), "temperature");
  EXPECT_EQ(refused({.temperature = 0}), "nothing");  // not sampled
  EXPECT_EQ(refused({.do_sample = true, .top_p = 1.5}), "top_p");
  EXPECT_EQ(refused({.do_sample = true, .min_p = -0.1}), "min_p");
  EXPECT_EQ(refused({.repetition_penalty = 0}), "repetition_penalty");
  EXPECT_EQ(refused({.num_return_sequences = 2}), "num_return_sequences");
  EXPECT_EQ(refused({.bad_words_ids = {{}}}), "bad_words_ids");
  EXPECT_EQ(refused({.suppress_tokens = {3, 4}, .forced_eos_token_ids = {4}}), "forced_eos_token_id");
  EXPECT_EQ(refused({.stop_strings = {""}}), "stop_strings");
}

}  // namespace
}  // namespace accelerate::decoding
