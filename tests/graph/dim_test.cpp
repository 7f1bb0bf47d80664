#include "graph/dim.hpp"

#include <gtest/gtest.h>

#include "accelerate/error.hpp"

namespace accelerate {
namespace {

TEST(Dim, EqualPolynomialsAreEqual) {
  const Dim a = (kBatch + Dim(1)) * (kTokens - Dim(1));
  EXPECT_EQ(a, kTokens * kBatch - kBatch + kTokens - Dim(1));
  EXPECT_NE(a, kTokens * kBatch);
  EXPECT_EQ(kTokens - kTokens, Dim(0));
}

TEST(Dim, ReadsAsWritten) {
  EXPECT_EQ((Dim(2) * kTokens - Dim(1)).to_string(), "2*tokens - 1");
  EXPECT_EQ((kBatch * kTokens * Dim(384)).to_string(), "384*batch*tokens");
  EXPECT_EQ(Dim(0).to_string(), "0");
  EXPECT_EQ((Dim(0) - kTokens).to_string(), "-tokens");
}

TEST(Dim, Evaluates) {
  Extents extents;
  extents.set_ragged("tokens", {3, 1, 4});
  EXPECT_EQ((kBatch * kTokens + Dim(1)).evaluate(extents), 13);
  EXPECT_EQ(Dim::symbol("tokens.rows").evaluate(extents), 8);
  EXPECT_EQ(Dim::symbol("tokens.squares").evaluate(extents), 26);
  EXPECT_THROW(Dim::symbol("frames").evaluate(extents), Error);
}

TEST(Dim, OverflowIsAnError) {
  Extents extents;
  extents.set("batch", std::int64_t{1} << 62);
  EXPECT_THROW((kBatch * Dim(4)).evaluate(extents), Error);
}

TEST(Extents, RefusesContradictions) {
  Extents extents;
  extents.set_ragged("tokens", {3, 1});
  EXPECT_THROW(extents.set_ragged("frames", {1, 2, 3}), Error);
  EXPECT_THROW(extents.set_ragged("frames", {-1, 2}), Error);
  EXPECT_THROW(Extents().set_ragged("tokens", {1LL << 32}), Error);
  EXPECT_THROW(Extents().set_uniform("tokens", 20, 1LL << 30), Error);
  EXPECT_EQ(extents.offsets("tokens"), (std::vector<std::int64_t>{0, 3, 4}));
}

TEST(Shape, RaggedOnesAreStoredAsRows) {
  const Shape shape({kBatch, kTokens, 8}, true);
  Extents extents;
  extents.set_ragged("tokens", {3, 1});
  EXPECT_EQ(shape.stored(extents), (std::vector<std::int64_t>{4, 8}));
  EXPECT_EQ(shape.elements().evaluate(extents), 32);
  EXPECT_EQ(shape.to_string(), "[batch, tokens~, 8]");
  EXPECT_EQ(Shape({kBatch, kTokens}, true).elements().evaluate(extents), 4);
  EXPECT_EQ((Shape{kBatch, kTokens, 8}).elements().evaluate(extents), 48);  // dense: two items of the longest length
}

}  // namespace
}  // namespace accelerate
