// Largest values and sums of exponentials over whole vocabularies, without sorting them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace accelerate::decoding {

struct Scored {
  float value = 0;
  std::int64_t index = 0;
};

// The k (at most values.size()) largest, largest first. NaN counts as larger than all. Equal values fall as
// torch.topk's do on a CPU, which selects and sorts such pairs with the same algorithms of the C++ library.
std::vector<Scored> top_k(std::span<const float> values, std::size_t k);

// The k-th largest value (1 <= k <= values.size()); NaN counts as -inf.
float kth_largest(std::span<const float> values, std::size_t k);

// All that are at least `least`, in the order of their indices; NaN is not.
std::vector<Scored> at_least(std::span<const float> values, float least);

float largest(std::span<const float> values);  // -inf when empty; NaN never counts

// e^x for x <= 0 to 2 units in the last place; 0 from -87 down, and for NaN.
float exp_of_negative(float x);

// Sum of e^(value - shift); values <= shift, none NaN; -inf adds nothing. Blocks of 64 are summed in f32, these in f64.
double exp_sum(std::span<const float> values, float shift);

// values become value - log(sum of e^values), as torch.log_softmax. Unchanged when the largest is not finite.
void log_softmax(std::span<float> values);

}  // namespace accelerate::decoding
