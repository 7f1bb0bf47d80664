// The search for a batch size, on machines that are made up.
#include "bench/search.hpp"

#include <gtest/gtest.h>

#include <map>

namespace accelerate::bench {
namespace {

struct Machine {
  std::function<double(std::int64_t)> throughput;
  std::int64_t most_within_bound = 1 << 20;
  std::map<std::int64_t, int> asked = {};

  std::optional<std::int64_t> search(std::int64_t most) {
    return best_batch(most, [this](std::int64_t batch) {
      ++asked[batch];
      return Tried{batch <= most_within_bound, throughput(batch)};
    });
  }
};

double saturating(std::int64_t batch) { return 1000.0 * static_cast<double>(batch) / static_cast<double>(batch + 8); }

TEST(Search, StopsWhereMoreTextsBringNothing) {
  Machine machine{[](std::int64_t batch) { return static_cast<double>(std::min<std::int64_t>(batch, 16)); }};
  EXPECT_EQ(machine.search(1 << 20), 16);
  EXPECT_LE(machine.asked.rbegin()->first, 64);
}

TEST(Search, FindsAnOptimumBetweenPowersOfTwo) {
  Machine machine{[](std::int64_t batch) {
    return batch <= 24 ? static_cast<double>(batch) : 24 - 0.5 * static_cast<double>(batch - 24);
  }};
  EXPECT_EQ(machine.search(1 << 20), 24);
}

TEST(Search, KeepsToTheBoundAndComesNearIt) {
  Machine machine{saturating, 45};
  const std::optional<std::int64_t> found = machine.search(1 << 20);
  ASSERT_TRUE(found);
  EXPECT_LE(*found, 45);
  EXPECT_GE(saturating(*found), 0.95 * saturating(45));
}

TEST(Search, NothingWhereNotEvenOneKeepsToTheBound) {
  Machine machine{saturating, 0};
  EXPECT_EQ(machine.search(1 << 20), std::nullopt);
  EXPECT_EQ(machine.asked.size(), 1U);
}

TEST(Search, TakesTheSmallestOfEquallyGoodSizes) {
  Machine machine{[](std::int64_t) { return 100.0; }};
  EXPECT_EQ(machine.search(1 << 20), 1);
}

TEST(Search, NeverGoesBeyondTheMost) {
  Machine machine{saturating};
  EXPECT_LE(machine.search(10).value_or(99), 10);
  EXPECT_LE(machine.asked.rbegin()->first, 10);
}

TEST(Search, AsksForEachSizeOnce) {
  Machine machine{saturating, 100};
  machine.search(1 << 20);
  for (const auto& [batch, times] : machine.asked) EXPECT_EQ(times, 1) << batch;
}

}  // namespace
}  // namespace accelerate::bench
