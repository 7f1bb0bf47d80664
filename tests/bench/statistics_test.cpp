// What is said of a list of times.
#include "bench/statistics.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace accelerate::bench {
namespace {

TEST(Statistics, PercentilesOfTenTimes) {
  const std::vector<double> times{10, 1, 9, 2, 8, 3, 7, 4, 6, 5};
  const Summary summary = summary_of(times);
  EXPECT_EQ(summary.samples, 10U);
  EXPECT_EQ(summary.min, 1);
  EXPECT_EQ(summary.p10, 1);
  EXPECT_EQ(summary.p50, 5.5);
  EXPECT_EQ(summary.p90, 9);
  EXPECT_EQ(summary.p99, 10);
  EXPECT_DOUBLE_EQ(summary.spread, (9.0 - 1.0) / 2 / 5.5);
  EXPECT_FALSE(summary.stable);
}

TEST(Statistics, OneTimeAndNone) {
  const Summary one = summary_of(std::vector<double>{3});
  EXPECT_EQ(one.p10, 3);
  EXPECT_EQ(one.p50, 3);
  EXPECT_EQ(one.p99, 3);
  EXPECT_FALSE(one.stable);
  EXPECT_EQ(summary_of({}).samples, 0U);
  EXPECT_EQ(summary_of({}).p50, 0);
}

TEST(Statistics, PercentilesNeverCross) {
  std::mt19937 random(3);
  for (std::size_t count = 1; count < 60; ++count) {
    std::vector<double> times(count);
    for (double& time : times) time = 1 + static_cast<double>(random() % 1000);
    const Summary s = summary_of(times);
    EXPECT_LE(s.min, s.p10);
    EXPECT_LE(s.p10, s.p50);
    EXPECT_LE(s.p50, s.p90) << count;
    EXPECT_LE(s.p90, s.p99);
  }
}

// The interval must hold the true median about 95 times in 100.
TEST(Statistics, TheMediansIntervalHoldsTheMedian) {
  std::mt19937 random(5);
  std::exponential_distribution<double> draw(1.0);
  int held = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    std::vector<double> times(41);
    for (double& time : times) time = draw(random);
    const auto [low, high] = median_interval(times);
    if (low <= std::log(2.0) && std::log(2.0) <= high) ++held;
  }
  EXPECT_GE(held, 930);
  EXPECT_LT(held, 1000);
}

TEST(Statistics, EqualTimesAreStableFromTenOn) {
  EXPECT_FALSE(is_stable(std::vector<double>(9, 2.0)));
  EXPECT_TRUE(is_stable(std::vector<double>(10, 2.0)));
}

TEST(Statistics, AWideSpreadNeedsMoreTimes) {
  std::mt19937 random(9);
  std::uniform_real_distribution<double> draw(0.8, 1.2);
  std::vector<double> times;
  for (int i = 0; i < 20; ++i) times.push_back(draw(random));
  EXPECT_FALSE(is_stable(times));
  for (int i = 0; i < 20000; ++i) times.push_back(draw(random));
  EXPECT_TRUE(is_stable(times));
}

TEST(Statistics, AMachineThatBecomesSlowerHasNoMedian) {
  std::vector<double> times(400, 1.0);
  std::fill(times.begin() + 210, times.end(), 1.1);
  EXPECT_FALSE(is_stable(times));
}

}  // namespace
}  // namespace accelerate::bench
