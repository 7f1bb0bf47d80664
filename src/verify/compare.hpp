// Two tensors beside each other.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "accelerate/tensor.hpp"
#include "verify/tolerance.hpp"

namespace accelerate::verify {

struct Difference {
  std::int64_t compared = 0;       // numbers, padding left out
  double worst_absolute = 0;       // largest |found - expected|; infinite where only one of them is a number
  Dims place;                      // of it
  double expected = 0, found = 0;  // there
  double relative_l2 = 0;          // ||found - expected|| / ||expected||
  double cosine = 1;               // of the two as vectors
  double share_of_bound = 0;       // of the number nearest to its bound, or of the norm; above 1: out of bound
  std::optional<double> top1;      // share of rows whose largest number is in the same place; of logits only
};

// Which rows count. Empty: all; else one entry for each position of the first two dimensions, 0 for padding.
using RowMask = std::vector<std::uint8_t>;

// Both f32 and of the same shape, else Error{invalid_input} giving both shapes. `top1`: also compare the places of the
// largest numbers along the last dimension.
Difference compare(const Tensor& expected, const Tensor& found, const Tolerance& tolerance, const RowMask& mask = {},
                   bool top1 = false);
// The same for plain lists of numbers.
Difference compare(std::span<const double> expected, std::span<const double> found, const Tolerance& tolerance);

// The first place where integers differ: "[1, 7]: found 12, expected 15"; a difference in shape; empty when equal.
std::string first_difference(const Tensor& expected, const Tensor& found);

}  // namespace accelerate::verify
