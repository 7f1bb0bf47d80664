// Items are handed out by length under a budget, and long work can be watched and stopped.
#include "runtime/batches.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace accelerate::runtime {
namespace {

std::vector<Item> items(const std::vector<std::size_t>& lengths) {
  std::vector<Item> made(lengths.size());
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    made[i].number = i;
    made[i].ids.assign(lengths[i], 1);
  }
  return made;
}

std::vector<std::vector<std::size_t>> batches(const std::vector<std::size_t>& lengths, BatchOptions options,
                                              RunCost cost = {}) {
  std::vector<std::vector<std::size_t>> found;
  for_each_batch(items(lengths), cost, options, [&](std::span<const Item> batch) {
    std::vector<std::size_t>& numbers = found.emplace_back();
    for (const Item& item : batch) numbers.push_back(item.number);
  });
  return found;
}

using Numbers = std::vector<std::vector<std::size_t>>;

TEST(Batches, LongestFirstUnderTheBudget) {
  EXPECT_EQ(batches({3, 5, 1, 5, 2}, {.tokens = 8}), (Numbers{{1}, {3, 0}, {4, 2}}));
  EXPECT_EQ(batches({3, 5, 1, 5, 2}, {.tokens = 16}), (Numbers{{1, 3, 0, 4, 2}}));
}

// A run of two of 10 and one of three of 2 are 26 tokens, one run of all is 50, with the padding.
TEST(Batches, PaddedItemsRunWhereThePaddingIsWorthLessThanAnotherRun) {
  EXPECT_EQ(batches({2, 10, 2, 10, 2}, {}, {.padded = true, .tokens = 6}), (Numbers{{1, 3}, {0, 2, 4}}));
  EXPECT_EQ(batches({2, 10, 2, 10, 2}, {}, {.padded = true, .tokens = 100}), (Numbers{{1, 3, 0, 2, 4}}));
  EXPECT_EQ(batches({1, 2, 3, 4}, {}, {.padded = true, .tokens = 0}), (Numbers{{3}, {2}, {1}, {0}}));
}

TEST(Batches, PaddingCountsForTheBudget) {
  EXPECT_EQ(batches({5, 1, 1, 1}, {.tokens = 10}, {.padded = true, .tokens = 100}), (Numbers{{0}, {1, 2, 3}}));
  EXPECT_EQ(batches({5, 1, 1, 1}, {.tokens = 10}), (Numbers{{0, 1, 2, 3}}));
  EXPECT_EQ(batches({9, 20, 20}, {.tokens = 4}, {.padded = true, .tokens = 100}), (Numbers{{1}, {2}, {0}}));
}

// No way to part them costs less: all of them are tried.
TEST(Batches, PaddedRunsAreTheCheapest) {
  const std::vector<std::size_t> lengths = {40, 38, 30, 17, 17, 16, 9, 8, 3, 1};
  const RunCost cost{.padded = true, .tokens = 11};
  constexpr std::size_t kBudget = 90;
  const auto cost_of = [&](const std::vector<std::size_t>& sizes) {
    std::size_t total = 0, first = 0;
    for (const std::size_t size : sizes) {
      if (size > 1 && size * lengths[first] > kBudget) return std::numeric_limits<std::size_t>::max();
      total += 11 + size * lengths[first];
      first += size;
    }
    return total;
  };
  std::size_t least = std::numeric_limits<std::size_t>::max();
  for (unsigned cuts = 0; cuts < 1U << (lengths.size() - 1); ++cuts) {
    std::vector<std::size_t> sizes = {1};
    for (std::size_t i = 1; i < lengths.size(); ++i) {
      if ((cuts >> (i - 1) & 1) != 0) {
        sizes.push_back(1);
      } else {
        ++sizes.back();
      }
    }
    least = std::min(least, cost_of(sizes));
  }
  std::vector<std::size_t> sizes;
  for (const auto& batch : batches(lengths, {.tokens = kBudget}, cost)) sizes.push_back(batch.size());
  EXPECT_EQ(cost_of(sizes), least);
}

TEST(Batches, AnItemLargerThanTheBudgetRunsAlone) {
  EXPECT_EQ(batches({9, 20, 2}, {.tokens = 4}), (Numbers{{1}, {0}, {2}}));
  EXPECT_EQ(batches({}, {}), Numbers{});
}

TEST(Batches, ABudgetBelowOneIsRefused) {
  try {
    batches({1}, {.tokens = 0});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    EXPECT_STREQ(error.what(), "tokens: is 0, expected 1 or more");
  }
}

TEST(Batches, ProgressCountsItems) {
  std::vector<std::pair<std::int64_t, std::int64_t>> seen;
  batches({4, 4, 4}, {.tokens = 8, .progress = [&](auto done, auto total) { seen.emplace_back(done, total); }});
  EXPECT_EQ(seen, (std::vector<std::pair<std::int64_t, std::int64_t>>{{2, 3}, {3, 3}}));
}

TEST(Batches, CancellationStopsBetweenRuns) {
  BatchOptions options{.tokens = 1};
  int runs = 0;
  const auto run = [&](std::span<const Item>) {
    if (++runs == 2) options.cancellation.cancel();
  };
  try {
    for_each_batch(items({1, 1, 1, 1}), {}, options, run);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::interrupted);
  }
  EXPECT_EQ(runs, 2);
}

TEST(Batches, ATextWithoutTokensIsNamed) {
  try {
    items_of(TokenizedTexts{.ids = {{1}, {}}, .type_ids = {{0}, {}}, .truncated = {}});
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "texts[1]: has no tokens: nothing to run");
  }
}

}  // namespace
}  // namespace accelerate::runtime
