// Two tensors beside each other: what counts as different, by how much, and where.
#include "verify/compare.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace accelerate::verify {
namespace {

constexpr Tolerance kElementwise{.absolute = 1e-3, .relative = 1e-2};
constexpr Tolerance kNorm{.l2 = 1e-5};
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinite = std::numeric_limits<float>::infinity();

Tensor row(std::vector<float> values) {
  const auto size = static_cast<std::int64_t>(values.size());
  return Tensor::of<float>({1, size}, values);
}

TEST(Compare, OfEqualTensorsIsNothing) {
  const Difference d = compare(row({1, -2, 0}), row({1, -2, 0}), kElementwise);
  EXPECT_EQ(d.compared, 3);
  EXPECT_EQ(d.worst_absolute, 0);
  EXPECT_EQ(d.relative_l2, 0);
  EXPECT_DOUBLE_EQ(d.cosine, 1);
  EXPECT_EQ(d.share_of_bound, 0);
}

TEST(Compare, NamesTheWorstPlace) {
  const Tensor expected = Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 3, 4});
  const Tensor found = Tensor::of<float>({2, 2}, std::vector<float>{1, 2.5F, 3, 4.25F});
  const Difference d = compare(expected, found, kElementwise);
  EXPECT_DOUBLE_EQ(d.worst_absolute, 0.5);
  EXPECT_EQ(d.place, (Dims{0, 1}));
  EXPECT_EQ(d.expected, 2);
  EXPECT_EQ(d.found, 2.5);
  EXPECT_DOUBLE_EQ(d.share_of_bound, 0.5 / (1e-3 + 2e-2));
  EXPECT_NEAR(d.relative_l2, std::sqrt((0.25 + 0.0625) / 30), 1e-12);
}

TEST(Compare, TakesTheNormWhereTheToleranceIsOfTheNorm) {
  const Difference d = compare(row({3, 4}), row({3, 4.0001F}), kNorm);
  EXPECT_NEAR(d.relative_l2, 2e-5, 1e-6);
  EXPECT_NEAR(d.share_of_bound, 2, 0.1);
}

TEST(Compare, NeverLetsANaNPass) {
  EXPECT_GT(compare(row({1, 2}), row({1, kNaN}), kElementwise).share_of_bound, 1);
  EXPECT_GT(compare(row({1, kNaN}), row({1, 2}), kElementwise).share_of_bound, 1);
  EXPECT_GT(compare(row({1, 2}), row({1, kNaN}), kNorm).share_of_bound, 1);
  EXPECT_GT(compare(row({0, 0}), row({0, 1e-30F}), kNorm).share_of_bound, 1);
}

TEST(Compare, TakesEqualInfinitiesAsEqual) {
  EXPECT_EQ(compare(row({1, kInfinite}), row({1, kInfinite}), kElementwise).share_of_bound, 0);
  EXPECT_GT(compare(row({1, kInfinite}), row({1, -kInfinite}), kElementwise).share_of_bound, 1);
  EXPECT_GT(compare(row({1, kInfinite}), row({1, 5}), kNorm).share_of_bound, 1);
}

TEST(Compare, LeavesPaddingOut) {
  const Tensor expected = Tensor::of<float>({1, 3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor found = Tensor::of<float>({1, 3, 2}, std::vector<float>{1, 2, 3, 4, 0, 0});
  EXPECT_EQ(compare(expected, found, kElementwise, {1, 1, 0}).share_of_bound, 0);
  EXPECT_EQ(compare(expected, found, kElementwise, {1, 1, 0}).compared, 4);
  EXPECT_GT(compare(expected, found, kElementwise, {1, 1, 1}).share_of_bound, 1);
}

TEST(Compare, CountsRowsWhoseLargestAgrees) {
  const Tensor expected = Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 5, 4});
  const Tensor found = Tensor::of<float>({2, 2}, std::vector<float>{1, 2, 4, 5});
  EXPECT_EQ(compare(expected, found, kElementwise, {}, true).top1, 0.5);
  EXPECT_FALSE(compare(expected, found, kElementwise).top1.has_value());
  // Of start and end logits the row is the text: padding is none of the candidates.
  EXPECT_EQ(compare(row({1, 9, 0}), row({1, 0, 9}), kElementwise, {1, 0, 0}, true).top1, 1.0);
}

TEST(Compare, RefusesOtherShapes) {
  EXPECT_THROW(compare(row({1, 2}), row({1, 2, 3}), kElementwise), Error);
  const std::vector<double> one = {1}, two = {1, 2};
  EXPECT_THROW(compare(one, two, kElementwise), Error);
}

TEST(Compare, NamesTheFirstIntegerThatDiffers) {
  const Tensor a = Tensor::of<std::int64_t>({2, 2}, std::vector<std::int64_t>{1, 2, 3, 4});
  const Tensor b = Tensor::of<std::int64_t>({2, 2}, std::vector<std::int64_t>{1, 2, 7, 4});
  EXPECT_EQ(first_difference(a, a), "");
  EXPECT_EQ(first_difference(a, b), "at [1, 0]: found 7, expected 3");
  EXPECT_EQ(first_difference(a, a.reshaped({4})), "has shape [4], expected [2, 2]");
}

}  // namespace
}  // namespace accelerate::verify
