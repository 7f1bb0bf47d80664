// A token chosen by the scores that a sampler chain left.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace accelerate::decoding {

// Index of the largest score, the first of equal ones (torch.argmax). Error{device_failed} when no score is above -inf
// and none is a number.
std::int32_t likeliest(std::span<const float> scores);

// A token with the probability that softmax(scores) gives it: the first whose cumulative probability, in the order of
// ids, exceeds `uniform` (in [0, 1)). Error{device_failed} when there is none to choose.
std::int32_t sampled(std::span<const float> scores, double uniform);

struct TokenProbability {
  std::int32_t token = 0;
  float log_probability = 0;
};
// Log-probabilities under softmax(scores) of `token` and of the `best` likeliest, likeliest first, lower ids first
// among equal ones. Of raw logits they are the model's; of a chain's scores, those that were sampled from.
struct LogProbabilities {
  TokenProbability chosen;
  std::vector<TokenProbability> best;
};
LogProbabilities log_probabilities(std::span<const float> scores, std::int32_t token, std::size_t best = 0);

}  // namespace accelerate::decoding
