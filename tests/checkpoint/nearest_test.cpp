#include "checkpoint/nearest.hpp"

#include <gtest/gtest.h>

namespace accelerate {
namespace {

TEST(Nearest, EditDistanceCountsSingleChanges) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3U);
  EXPECT_EQ(edit_distance("", "abc"), 3U);
  EXPECT_EQ(edit_distance("abc", ""), 3U);
  EXPECT_EQ(edit_distance("abc", "abc"), 0U);
  EXPECT_EQ(edit_distance("ab", "ba"), 2U);
}

TEST(Nearest, WordsComeNearestFirstAndTiesInOrder) {
  const std::vector<std::string> known{"gpt2", "bart", "bert", "t5"};
  EXPECT_EQ(nearest("bert", known, 2), (std::vector<std::string>{"bert", "bart"}));
  EXPECT_EQ(nearest("bort", known, 2), (std::vector<std::string>{"bart", "bert"}));
  EXPECT_EQ(nearest("x", known, 9).size(), 4U);
  EXPECT_TRUE(nearest("x", {}, 3).empty());
}

}  // namespace
}  // namespace accelerate
