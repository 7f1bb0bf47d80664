// Items are handed out by length under a budget, and long work can be watched and stopped.
#include "runtime/batches.hpp"

#include <gtest/gtest.h>

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

std::vector<std::vector<std::size_t>> batches(const std::vector<std::size_t>& lengths, BatchOptions options) {
  std::vector<std::vector<std::size_t>> found;
  for_each_batch(items(lengths), options, [&](std::span<const Item> batch) {
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
    for_each_batch(items({1, 1, 1, 1}), options, run);
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
