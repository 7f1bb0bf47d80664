// Choosing a token: ties, probabilities, the sampler's distribution, and that random numbers have places.
#include "decoding/choice.hpp"

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "decoding/golden_rows.hpp"
#include "decoding/random.hpp"
#include "decoding/sampler_chain.hpp"
#include "decoding/selection.hpp"

namespace accelerate::decoding {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();

std::vector<float> normal_scores(std::size_t count, unsigned seed, float deviation = 2.5f) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, deviation);
  std::vector<float> scores(count);
  for (float& score : scores) score = normal(random);
  return scores;
}

TEST(Likeliest, TakesTheFirstOfEqualScores) {
  EXPECT_EQ(likeliest(std::vector<float>{1, 3, 2, 3}), 1);
  std::vector<float> many(1000, -2.0f);
  many[70] = many[500] = many[999] = 5;
  EXPECT_EQ(likeliest(many), 70);
  many[3] = std::nanf("");
  EXPECT_EQ(likeliest(many), 70);
  for (const std::size_t largest : {0, 63, 64, 127, 959, 960, 998}) {  // at both ends of blocks, and behind the last
    std::vector<float> one(1000, -2.0f);
    one[largest] = one[999] = -1;
    EXPECT_EQ(likeliest(one), static_cast<std::int32_t>(largest));
    one[largest] = std::nanf("");
    EXPECT_EQ(likeliest(one), 999);
  }
}

TEST(Likeliest, NothingToChooseIsAnError) {
  EXPECT_THROW(likeliest(std::vector<float>{kNever, kNever}), Error);
  EXPECT_THROW(likeliest(std::vector<float>{std::nanf("")}), Error);
  EXPECT_THROW(likeliest(std::vector<float>{1, -kNever}), Error);
  EXPECT_THROW(sampled(std::vector<float>{kNever}, 0.5), Error);
  EXPECT_THROW(log_probabilities(std::vector<float>{1, 2}, 2), Error);
}

TEST(Sampled, GoesThroughTheIdsInOrder) {
  const std::vector<float> scores = {std::log(1.0f), kNever, std::log(2.0f), std::log(1.0f), kNever};
  EXPECT_EQ(sampled(scores, 0), 0);
  EXPECT_EQ(sampled(scores, 0.249), 0);
  EXPECT_EQ(sampled(scores, 0.251), 2);
  EXPECT_EQ(sampled(scores, 0.749), 2);
  EXPECT_EQ(sampled(scores, 0.751), 3);
  EXPECT_EQ(sampled(scores, 1 - 0x1p-53), 3);  // never the last, which is forbidden
}

// Pearson's statistic over `bins` that are expected at least 5 times, in deviations from its mean.
double chi_square_deviation(const std::vector<std::size_t>& counts, const std::vector<double>& expected) {
  double statistic = 0, bins = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] < 5) continue;
    const double difference = static_cast<double>(counts[i]) - expected[i];
    statistic += difference * difference / expected[i];
    ++bins;
  }
  return (statistic - (bins - 1)) / std::sqrt(2 * (bins - 1));
}

TEST(Sampled, HasTheDistributionOfItsScores) {
  // More than one block of the vocabulary, so that passing over blocks is part of it.
  const std::vector<float> scores = normal_scores(2500, 1, 1);
  double whole = 0;
  for (const float score : scores) whole += std::exp(static_cast<double>(score));
  constexpr std::size_t kDraws = 40000;
  std::vector<std::size_t> by_sequence(scores.size()), by_position(scores.size());
  std::vector<double> expected;
  for (const float score : scores) expected.push_back(kDraws * std::exp(static_cast<double>(score)) / whole);
  for (std::uint32_t i = 0; i < kDraws; ++i) {
    ++by_sequence[static_cast<std::size_t>(sampled(scores, uniform(7, i, 0)))];
    if (i % 2 == 0) continue;
    ++by_position[static_cast<std::size_t>(sampled(scores, uniform(7, 0, i / 2)))];
    ++by_position[static_cast<std::size_t>(sampled(scores, uniform(8, 0, i / 2)))];
  }
  EXPECT_LT(std::abs(chi_square_deviation(by_sequence, expected)), 4);
  EXPECT_LT(std::abs(chi_square_deviation(by_position, expected)), 4);
}

TEST(Sampled, AfterAChainOnlyWhatItLeft) {
  const std::vector<float> raw = normal_scores(40, 2);
  std::vector<float> scores = raw;
  SamplerChain(GenerationSettings{.do_sample = true, .temperature = 0.7, .top_k = 5}).apply(scores, {}, 0);
  double whole = 0;
  for (const float score : scores) whole += std::exp(static_cast<double>(score));
  std::vector<std::size_t> counts(scores.size());
  std::vector<double> expected;
  for (const float score : scores) expected.push_back(50000 * std::exp(static_cast<double>(score)) / whole);
  for (std::uint32_t i = 0; i < 50000; ++i) ++counts[static_cast<std::size_t>(sampled(scores, uniform(0, 3, i)))];
  EXPECT_EQ(std::count(counts.begin(), counts.end(), 0U), 35);
  EXPECT_LT(std::abs(chi_square_deviation(counts, expected)), 4);
}

TEST(LogProbabilities, OfTheChosenAndTheBest) {
  std::vector<float> scores = {0, std::log(2.0f), std::log(5.0f), kNever, std::log(2.0f)};
  const LogProbabilities found = log_probabilities(scores, 0, 3);
  EXPECT_NEAR(found.chosen.log_probability, std::log(0.1f), 1e-6f);
  ASSERT_EQ(found.best.size(), 3U);
  EXPECT_EQ(found.best[0].token, 2);
  EXPECT_NEAR(found.best[0].log_probability, std::log(0.5f), 1e-6f);
  EXPECT_EQ(found.best[1].token, 1);
  EXPECT_EQ(found.best[2].token, 4);
  EXPECT_EQ(log_probabilities(scores, 3, 9).chosen.log_probability, kNever);
}

TEST(Philox, GivesThePublishedNumbers) {
  // Random123's known answers.
  using Words = std::array<std::uint32_t, 4>;
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kAll = 0xffffffff;
  EXPECT_EQ(philox({kAll, kAll, kAll, kAll}, {kAll, kAll}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(Uniform, DependsOnEachOfItsPlacesAndOnNothingElse) {
  const double here = uniform(1, 2, 3, 4);
  EXPECT_NE(here, uniform(9, 2, 3, 4));
  EXPECT_NE(here, uniform(1, 9, 3, 4));
  EXPECT_NE(here, uniform(1, 2, 9, 4));
  EXPECT_NE(here, uniform(1, 2, 3, 5));
  EXPECT_NE(here, uniform(1, 2 + (std::uint64_t{1} << 32), 3, 4));
  double elsewhere = 0;
  std::thread([&] { elsewhere = uniform(1, 2, 3, 4); }).join();
  EXPECT_EQ(here, elsewhere);
}

TEST(Selection, ExponentialIsRightToItsLastDigits) {
  for (float x = -86.9f; x <= 0; x += 0.001f) {
    const float exact = static_cast<float>(std::exp(static_cast<double>(x)));
    ASSERT_NEAR(exp_of_negative(x), exact, 2.5e-7f * exact) << x;
  }
  EXPECT_EQ(exp_of_negative(0), 1);
  EXPECT_EQ(exp_of_negative(kNever), 0);
  EXPECT_EQ(exp_of_negative(std::nanf("")), 0);
}

TEST(Selection, KthLargestIsThatOfASort) {
  for (const std::size_t count : {1U, 63U, 64U, 65U, 1000U, 5000U}) {
    std::vector<float> values = normal_scores(count, 3);
    for (float& value : values) value = std::round(value * 8);  // equal ones
    std::vector<float> sorted = values;
    std::sort(sorted.rbegin(), sorted.rend());
    for (const std::size_t k : {std::size_t{1}, std::size_t{2}, count / 20 + 1, count / 2 + 1, count}) {
      if (k > count) continue;
      EXPECT_EQ(kth_largest(values, k), sorted[k - 1]) << count << " " << k;
      const std::vector<Scored> best = top_k(values, k);
      for (std::size_t i = 0; i < k; ++i) {
        EXPECT_EQ(best[i].value, sorted[i]);
        EXPECT_EQ(values[static_cast<std::size_t>(best[i].index)], best[i].value);
      }
    }
    EXPECT_EQ(largest(values), sorted[0]);
  }
  EXPECT_EQ(kth_largest(std::vector<float>{std::nanf(""), 2, 1}, 2), 1);
}

// Large vocabularies take other ways than small ones: they must agree with plain definitions.
TEST(Selection, WarpersOfALargeVocabularyEqualTheirDefinition) {
  for (const float deviation : {0.01f, 1.0f, 4.0f}) {
    const std::vector<float> raw = normal_scores(20000, 4, deviation);
    std::vector<std::size_t> order(raw.size());
    for (std::size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return raw[a] > raw[b]; });
    double whole = 0;
    for (const float score : raw) whole += std::exp(static_cast<double>(score));
    for (const double mass : {0.001, 0.3, 0.9, 0.999}) {
      std::vector<float> scores = raw;
      SamplerChain({TopP{mass, 1}}).apply(scores, {}, 0);
      std::size_t expected = 0;
      for (double before = 0; before < mass * whole; ++expected)
        before += std::exp(static_cast<double>(raw[order[expected]]));
      const auto kept = static_cast<std::size_t>(
          std::count_if(scores.begin(), scores.end(), [](float score) { return score > kNever; }));
      // Where a sum comes close to the border, rounding decides.
      EXPECT_NEAR(static_cast<double>(kept), static_cast<double>(expected), 1 + 1e-4 * static_cast<double>(expected));
      for (std::size_t i = 0; i < raw.size(); ++i) EXPECT_EQ(scores[order[i]], i < kept ? raw[order[i]] : kNever);
    }
  }
}

TEST(Selection, ADividedScoreThatBecomesEqualToTheBorderStays) {
  // Neighbouring numbers: divided, some of them are one.
  std::vector<float> raw(5000, -1.0f);
  float value = 1.9f;
  for (std::size_t i = 0; i < 40; ++i, value = std::nextafter(value, 0.0f)) raw[i * 100] = value;
  std::vector<float> divided = raw;
  for (float& score : divided) score /= 0.45f;
  std::vector<float> sorted = divided;
  std::sort(sorted.rbegin(), sorted.rend());
  bool more = false;
  for (std::size_t k = 5; k < 20; ++k) {
    std::vector<float> scores = raw;
    SamplerChain({Temperature{0.45f}, TopK{k}}).apply(scores, {}, 0);
    for (std::size_t i = 0; i < raw.size(); ++i) {
      EXPECT_EQ(scores[i], divided[i] >= sorted[k - 1] ? divided[i] : kNever) << i;
    }
    more = more || sorted[k] == sorted[k - 1];
  }
  EXPECT_TRUE(more);
}

}  // namespace
}  // namespace accelerate::decoding
