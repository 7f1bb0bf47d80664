#include "decoding/prompt_lookup.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace accelerate::decoding {
namespace {

using Ids = std::vector<std::int32_t>;

Ids found(const Ids& tokens, std::size_t most, std::size_t longest = 4) {
  const auto ids = looked_up(tokens, most, longest);
  return {ids.begin(), ids.end()};
}

TEST(PromptLookup, GivesWhatFollowedTheSameTokens) { EXPECT_EQ(found({1, 2, 3, 4, 9, 1, 2}, 3), (Ids{3, 4, 9})); }

TEST(PromptLookup, GivesAtMostWhatIsAsked) { EXPECT_EQ(found({1, 2, 3, 4, 9, 1, 2}, 1), (Ids{3})); }

TEST(PromptLookup, TakesTheLongestEndAndOfSeveralTheLast) {
  EXPECT_EQ(found({5, 1, 2, 7, 6, 1, 2, 8, 4, 2, 9, 5, 1, 2}, 2), (Ids{7, 6})) << "three tokens are the same there";
  EXPECT_EQ(found({1, 2, 7, 1, 2, 8, 1, 2}, 1), (Ids{8}));
  EXPECT_EQ(found({5, 1, 2, 7, 6, 1, 2, 8, 5, 1, 2}, 1, 2), (Ids{8})) << "no more than two tokens are compared";
}

TEST(PromptLookup, WhatRepeatsItselfGoesOn) {
  EXPECT_EQ(found({3, 3, 3}, 4), (Ids{3}));
  EXPECT_EQ(found({1, 2, 1, 2, 1}, 4), (Ids{2, 1}));
}

TEST(PromptLookup, IsEmptyWhereNothingWasThereBefore) {
  EXPECT_EQ(found({}, 4), Ids());
  EXPECT_EQ(found({1}, 4), Ids());
  EXPECT_EQ(found({1, 2, 3}, 4), Ids());
}

}  // namespace
}  // namespace accelerate::decoding
