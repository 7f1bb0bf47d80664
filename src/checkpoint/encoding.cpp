#include "checkpoint/encoding.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "core/float16.hpp"

namespace accelerate {
namespace {

float f16_at(const std::byte* bytes) {
  std::uint16_t half = 0;
  std::memcpy(&half, bytes, sizeof half);
  return f16_to_f32(half);
}

void widen_block(const BlockFormat& format, const std::byte* block, float* out) {
  const float scale = f16_at(block), minimum = format.has_minimum ? f16_at(block + 2) : 0.0F;
  const std::byte* integers = block + (format.has_minimum ? 4 : 2);
  const auto value = [&](int integer) { return scale * static_cast<float>(integer - format.zero_point) + minimum; };
  if (format.bits == 8) {
    for (int i = 0; i < format.values; ++i) out[i] = value(static_cast<std::int8_t>(integers[i]));
    return;
  }
  const int half = format.values / 2;
  for (int i = 0; i < half; ++i) {
    out[i] = value(std::to_integer<int>(integers[i] & std::byte{15}));
    out[half + i] = value(std::to_integer<int>(integers[i] >> 4));
  }
}

Tensor from_blocks(const BlockFormat& format, const Dims& dims, std::span<const std::byte> bytes) {
  Tensor values(DType::f32, dims);
  float* out = values.as<float>().data();
  const auto step = static_cast<std::size_t>(format.bytes());
  for (std::size_t at = 0; at + step <= bytes.size(); at += step, out += format.values) {
    widen_block(format, bytes.data() + at, out);
  }
  return values;
}

Tensor from_plain(DType dtype, const Dims& dims, std::span<const std::byte> bytes, std::shared_ptr<const void> owner) {
  const bool aligned = reinterpret_cast<std::uintptr_t>(bytes.data()) % alignof(float) == 0;
  if (dtype != DType::f32 || aligned) return Tensor::view(dtype, dims, bytes, std::move(owner)).to(DType::f32);
  // Views of files need not be aligned for their type.
  Tensor copy(dtype, dims);
  std::ranges::copy(bytes, copy.bytes().begin());
  return copy;
}

// Row 2 * i + half of a head is row half * (rows of the head / 2) + i.
Tensor in_order(const Tensor& stored, std::int64_t heads) {
  Tensor ordered(DType::f32, stored.dims());
  const std::int64_t rows = stored.dim(0), of_head = rows / heads, width = rows == 0 ? 0 : stored.elements() / rows;
  const float* from = stored.as<float>().data();
  for (std::int64_t row = 0; row < rows; ++row, from += width) {
    const std::int64_t head = row / of_head, place = row % of_head;
    const std::int64_t to = head * of_head + place % 2 * (of_head / 2) + place / 2;
    std::copy_n(from, width, ordered.as<float>().data() + to * width);
  }
  return ordered;
}

}  // namespace

Tensor widened(const Encoding& encoding, const Dims& dims, std::span<const std::byte> bytes,
               std::shared_ptr<const void> owner) {
  Tensor values = encoding.blocks != nullptr ? from_blocks(*encoding.blocks, dims, bytes)
                                             : from_plain(encoding.dtype, dims, bytes, std::move(owner));
  if (encoding.alternating_heads != 0) values = in_order(values, encoding.alternating_heads);
  if (encoding.added != 0) {
    Tensor less(DType::f32, dims);
    std::ranges::transform(std::as_const(values).as<float>(), less.as<float>().begin(),
                           [&](float value) { return value - encoding.added; });
    values = less;
  }
  return values;
}

}  // namespace accelerate
