// Rows to padded tensors and back.
#include "lowering/padding.hpp"

#include <gtest/gtest.h>

namespace accelerate::lowering {
namespace {

using Numbers = std::vector<std::int64_t>;

Numbers values_of(const Tensor& tensor) {
  const auto values = tensor.as<std::int64_t>();
  return {values.begin(), values.end()};
}

const Shape kIds({kBatch, kTokens}, true);

TEST(Padding, PutsZerosBehindEachItem) {
  const Extents extents = Extents().set_ragged("tokens", {1, 3});
  const Tensor padded = pad(Tensor::of<std::int64_t>({4}, {7, 4, 5, 6}), kIds, extents);
  EXPECT_EQ(padded.dims(), (Dims{2, 3}));
  EXPECT_EQ(values_of(padded), (Numbers{7, 0, 0, 4, 5, 6}));
}

TEST(Padding, IsUndone) {
  const Extents extents = Extents().set_ragged("tokens", {1, 0, 3});
  const Shape shape({kBatch, kTokens, 2}, true);
  const Tensor rows = Tensor::of<std::int64_t>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  const Tensor back = unpad(pad(rows, shape, extents), shape, extents);
  EXPECT_EQ(back.dims(), rows.dims());
  EXPECT_EQ(values_of(back), values_of(rows));
}

TEST(Padding, CopiesNothingWhereAllItemsAreEquallyLong) {
  const Extents extents = Extents().set_ragged("tokens", {2, 2});
  const Tensor rows = Tensor::of<std::int64_t>({4}, {1, 2, 3, 4});
  const Tensor padded = pad(rows, kIds, extents);
  EXPECT_EQ(padded.dims(), (Dims{2, 2}));
  EXPECT_EQ(padded.bytes().data(), rows.bytes().data());
  EXPECT_EQ(unpad(padded, kIds, extents).bytes().data(), rows.bytes().data());
}

TEST(Padding, MaskLeavesOutPaddingAndRowsThatAreNotSeen) {
  Extents extents = Extents().set_ragged("tokens", {1, 3});
  EXPECT_EQ(values_of(mask_of("tokens", extents)), (Numbers{1, 0, 0, 1, 1, 1}));
  extents.set_seen("tokens", {1, 1, 0, 1});
  EXPECT_EQ(values_of(mask_of("tokens", extents)), (Numbers{1, 0, 0, 1, 0, 1}));
}

TEST(Padding, PlacesAndRowsLeadToOneAnother) {
  const Extents extents = Extents().set_ragged("tokens", {1, 3, 2});
  const Numbers rows = values_of(row_of_place("tokens", extents)), places = values_of(place_of_row("tokens", extents));
  EXPECT_EQ(places, (Numbers{0, 3, 4, 5, 6, 7}));
  for (std::size_t row = 0; row < places.size(); ++row) {
    EXPECT_EQ(rows[static_cast<std::size_t>(places[row])], static_cast<std::int64_t>(row));
  }
  EXPECT_EQ(rows[1], 0);  // padding
}

}  // namespace
}  // namespace accelerate::lowering
