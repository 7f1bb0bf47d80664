// Cutting, joining and padding encodings, as the `tokenizers` library does.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "text/tokenizer.hpp"

namespace accelerate::text {

// Appends the vectors of `from`; overflowing pieces are left alone.
void append_encoding(Encoding& to, const Encoding& from);
// All in one, in order. What overflowed in one is combined with the others, and with what overflowed there.
Encoding merge_encodings(std::vector<Encoding> encodings);

// Cuts to `length` tokens; the rest goes to `overflowing` in pieces of that length, overlapping by `stride`.
// Error{invalid_input} unless stride < length (or length is 0: then all overflows).
void truncate_encoding(Encoding& encoding, std::size_t length, std::size_t stride, Side side);

// Error{invalid_input} where cutting `size` tokens to `length` leaves no room to go on from, as truncate_encoding.
void check_stride(std::size_t size, std::size_t length, std::size_t stride);

struct Truncation {
  std::size_t max_length = 512;  // in `truncate_encodings`: without special tokens
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  std::size_t stride = 0;
  Side side = Side::right;
};

// How many tokens of each text stay. Error{invalid_input} when the strategy cannot reach max_length.
struct Lengths {
  std::size_t first = 0, second = 0;
};
Lengths truncated_lengths(std::size_t first, std::optional<std::size_t> second, const Truncation& truncation);
void truncate_encodings(std::vector<Encoding>& encodings, const Truncation& truncation);

struct Padding {
  std::optional<std::size_t> fixed;  // else the longest of the batch
  std::optional<std::size_t> multiple_of;
  Side side = Side::right;
  std::int32_t id = 0, type_id = 0;
  std::string token = "[PAD]";
};
void pad_encodings(std::vector<Encoding>& encodings, const Padding& padding);

}  // namespace accelerate::text
