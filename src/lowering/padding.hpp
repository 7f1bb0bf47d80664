// Ragged rows to dense padded tensors and back: what a backend without ragged kernels is fed and gives.
#pragma once

#include <string>

#include "accelerate/tensor.hpp"
#include "graph/dim.hpp"

namespace accelerate::lowering {

// Sizes of a shape with its ragged axis as long as the longest item.
Dims padded_dims(const Shape& shape, const Extents& extents);
// Rows as a dense tensor with zeros behind each item; the same memory where all items are equally long.
Tensor pad(const Tensor& rows, const Shape& shape, const Extents& extents);
// Rows without padding; the same memory where all items are equally long.
Tensor unpad(const Tensor& padded, const Shape& shape, const Extents& extents);
// i64 [batch, symbol]: 1 at rows that are there and seen (Extents::set_seen), else 0.
Tensor mask_of(const std::string& symbol, const Extents& extents);
// i64 [batch, symbol]: of each place in the padded tensor its row, 0 at padding.
Tensor row_of_place(const std::string& symbol, const Extents& extents);
// i64 [symbol.rows]: of each row its place in the padded tensor, counted over batch * symbol.
Tensor place_of_row(const std::string& symbol, const Extents& extents);

}  // namespace accelerate::lowering
