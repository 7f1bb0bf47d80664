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

// What selection goes through at a time, and passes over when nothing in it matters.
constexpr std::size_t kBlock = 64;

// The k (at most values.size()) largest, largest first. Equal values fall as torch.topk's do on a CPU, which selects
// and sorts such pairs with the same algorithms of the C++ library. Without NaN.
std::vector<Scored> top_k(std::span<const float> values, std::size_t k);

// The k-th largest value (1 <= k <= values.size()), and all that are not below it by more than what division by a
// temperature may round away (1e-6 of it), in the order of their indices. NaN and -inf are not among them.
struct Largest {
  float kth = 0;
  std::vector<Scored> found;
};
Largest largest_few(std::span<const float> values, std::size_t k);

// The k-th largest value (1 <= k <= values.size()); NaN counts as -inf.
float kth_largest(std::span<const float> values, std::size_t k);

// All that are at least `least`, in the order of their indices; NaN is not.
std::vector<Scored> at_least(std::span<const float> values, float least);

// One for each kBlock values, the last for what is left.
std::vector<float> largest_of_blocks(std::span<const float> values);
float largest(std::span<const float> values);  // -inf when empty; NaN never counts
// The same and where it is for the first time; values.size() where nothing is above -inf.
Scored first_largest(std::span<const float> values);

// e^x for x <= 0 to 2 units in the last place; 0 from -87 down, and for NaN.
float exp_of_negative(float x);

// Sum of e^(value - shift); values <= shift, none NaN; -inf adds nothing. Blocks of 64 are summed in f32, these in f64.
double exp_sum(std::span<const float> values, float shift);

// values become value - log(sum of e^values), as torch.log_softmax. Unchanged when the largest is not finite.
void log_softmax(std::span<float> values);

}  // namespace accelerate::decoding
