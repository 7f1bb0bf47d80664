// How the values of a stored tensor lie in bytes: plain numbers, or blocks of small integers that share a scale.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include "accelerate/tensor.hpp"

namespace accelerate {

// value = scale * (integer - zero_point) + minimum. A block begins with its scale and, where it has one, its minimum,
// both f16; then come the integers. Of 4 bits: the low halves of the bytes are the first half of the block, the high
// halves the second. Of 8 bits: with a sign.
struct BlockFormat {
  std::string_view name;  // GGUF's: "Q4_1"
  int values = 32;        // of one block, all of one row
  int bits = 4;           // 4 or 8, of one integer
  int zero_point = 0;
  bool has_minimum = false;

  constexpr std::int64_t bytes() const { return (has_minimum ? 4 : 2) + values * bits / 8; }
};

struct Encoding {
  DType dtype = DType::f32;             // of the numbers; f32, what they are widened to, where they lie in blocks
  const BlockFormat* blocks = nullptr;  // null: plain numbers
  // What converters for llama.cpp change in a tensor. Rows of each of this many heads take turns: one of the head's
  // first half, one of its second half; 0: rows are in order.
  std::int64_t alternating_heads = 0;
  float added = 0;  // to every value

  static Encoding plain(DType dtype) { return {.dtype = dtype}; }
  // Whether the bytes are the values themselves.
  bool is_plain() const { return blocks == nullptr && alternating_heads == 0 && added == 0; }
};

// The values as f32, in the order of `dims`: a view of `bytes`, which `owner` keeps alive, where they are that already
// and aligned, else a copy. `bytes` are as many as the encoding takes.
Tensor widened(const Encoding& encoding, const Dims& dims, std::span<const std::byte> bytes,
               std::shared_ptr<const void> owner);

}  // namespace accelerate
