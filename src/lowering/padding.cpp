#include "lowering/padding.hpp"

#include <algorithm>
#include <numeric>

namespace accelerate::lowering {
namespace {

bool needs_padding(const Shape& shape, const Extents& extents) {
  if (!shape.ragged) return false;
  const std::string symbol = shape.ragged_symbol();
  const auto batch = static_cast<std::int64_t>(extents.lengths(symbol).size());
  return extents.at(symbol) * batch != extents.at(symbol + ".rows");
}

// Calls copy(first padded row, first stored row, rows) for every item.
template <typename Copy>
void for_each_item(const std::string& symbol, const Extents& extents, Copy&& copy) {
  const auto longest = static_cast<std::size_t>(extents.at(symbol));
  const std::vector<std::int64_t>& offsets = extents.offsets(symbol);
  for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
    copy(item * longest, static_cast<std::size_t>(offsets[item]),
         static_cast<std::size_t>(offsets[item + 1] - offsets[item]));
  }
}

std::size_t bytes_of_row(const Tensor& tensor, std::int64_t rows) {
  return rows == 0 ? 0 : tensor.bytes().size() / static_cast<std::size_t>(rows);
}

}  // namespace

Dims padded_dims(const Shape& shape, const Extents& extents) {
  Dims dims;
  for (const Dim& dim : shape.dims) dims.push_back(dim.evaluate(extents));
  return dims;
}

Tensor pad(const Tensor& rows, const Shape& shape, const Extents& extents) {
  Dims dims = padded_dims(shape, extents);
  if (!needs_padding(shape, extents)) return rows.reshaped(std::move(dims));
  Tensor padded(rows.dtype(), std::move(dims));
  const std::size_t width = bytes_of_row(rows, rows.dim(0));
  for_each_item(shape.ragged_symbol(), extents, [&](std::size_t to, std::size_t from, std::size_t count) {
    std::copy_n(rows.bytes().data() + from * width, count * width, padded.bytes().data() + to * width);
  });
  return padded;
}

Tensor unpad(const Tensor& padded, const Shape& shape, const Extents& extents) {
  Dims dims = shape.stored(extents);
  if (!needs_padding(shape, extents)) return padded.reshaped(std::move(dims));
  Tensor rows(padded.dtype(), std::move(dims));
  const std::size_t width = bytes_of_row(rows, rows.dim(0));
  for_each_item(shape.ragged_symbol(), extents, [&](std::size_t from, std::size_t to, std::size_t count) {
    std::copy_n(padded.bytes().data() + from * width, count * width, rows.bytes().data() + to * width);
  });
  return rows;
}

Tensor mask_of(const std::string& symbol, const Extents& extents) {
  Tensor mask(DType::i64, {extents.at("batch"), extents.at(symbol)});
  const std::span<const std::uint8_t> seen = extents.seen(symbol);
  const std::span<std::int64_t> values = mask.as<std::int64_t>();
  for_each_item(symbol, extents, [&](std::size_t to, std::size_t from, std::size_t count) {
    for (std::size_t row = 0; row < count; ++row) values[to + row] = seen.empty() || seen[from + row] != 0 ? 1 : 0;
  });
  return mask;
}

Tensor row_of_place(const std::string& symbol, const Extents& extents) {
  Tensor rows(DType::i64, {extents.at("batch"), extents.at(symbol)});
  std::int64_t* values = rows.as<std::int64_t>().data();
  for_each_item(symbol, extents, [&](std::size_t place, std::size_t row, std::size_t count) {
    std::iota(values + place, values + place + count, static_cast<std::int64_t>(row));
  });
  return rows;
}

Tensor place_of_row(const std::string& symbol, const Extents& extents) {
  Tensor places(DType::i64, {extents.at(symbol + ".rows")});
  std::int64_t* values = places.as<std::int64_t>().data();
  for_each_item(symbol, extents, [&](std::size_t place, std::size_t row, std::size_t count) {
    std::iota(values + row, values + row + count, static_cast<std::int64_t>(place));
  });
  return places;
}

}  // namespace accelerate::lowering
