#include "decoding/choice.hpp"

#include <algorithm>
#include <cmath>

#include "accelerate/error.hpp"
#include "decoding/selection.hpp"

namespace accelerate::decoding {
namespace {

// Of `count` scores, which must be a number.
float checked(float largest, std::size_t count) {
  if (std::isfinite(largest)) return largest;
  throw Error(ErrorKind::device_failed,
              "no token to choose: none of " + std::to_string(count) + " scores is a finite number", "logits",
              "all tokens are forbidden, or the model computed NaN or infinity");
}
float checked_largest(std::span<const float> scores) { return checked(largest(scores), scores.size()); }

}  // namespace

std::int32_t likeliest(std::span<const float> scores) {
  const Scored first = first_largest(scores);
  checked(first.value, scores.size());
  return static_cast<std::int32_t>(first.index);
}

std::int32_t sampled(std::span<const float> scores, double uniform) {
  const std::vector<float> most = largest_of_blocks(scores);
  const float shift = checked_largest(most);
  // Blocks are passed over by their sums, the one that exceeds is walked through.
  std::vector<double> sums(most.size());
  double whole = 0;
  for (std::size_t block = 0; block < sums.size(); ++block) {
    if (!(most[block] - shift > -87.0f)) continue;
    const std::size_t begin = block * kBlock;
    sums[block] = exp_sum(scores.subspan(begin, std::min(kBlock, scores.size() - begin)), shift);
    whole += sums[block];
  }
  double left = uniform * whole;
  std::size_t block = 0, last = scores.size();
  while (block + 1 < sums.size() && left >= sums[block]) left -= sums[block++];
  for (std::size_t i = block * kBlock; i < scores.size(); ++i) {
    const double power = static_cast<double>(exp_of_negative(scores[i] - shift));
    if (power <= 0) continue;
    last = i;
    if (left < power) break;
    left -= power;
  }
  // Rounding may leave nothing behind the last token that has a probability.
  if (last == scores.size()) return likeliest(scores);
  return static_cast<std::int32_t>(last);
}

LogProbabilities log_probabilities(std::span<const float> scores, std::int32_t token, std::size_t best) {
  const float shift = checked_largest(scores);
  const auto log_sum = static_cast<float>(std::log(exp_sum(scores, shift)));
  const auto of = [&](std::int64_t id) {
    return TokenProbability{static_cast<std::int32_t>(id), scores[static_cast<std::size_t>(id)] - shift - log_sum};
  };
  if (token < 0 || static_cast<std::size_t>(token) >= scores.size()) {
    throw Error(ErrorKind::invalid_input,
                "found token " + std::to_string(token) + ", expected one of " + std::to_string(scores.size()));
  }
  LogProbabilities found{of(token), {}};
  best = std::min(best, scores.size());
  if (best == 0) return found;
  const float least = kth_largest(scores, best);
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (scores[i] >= least) found.best.push_back(of(static_cast<std::int64_t>(i)));
  }
  std::stable_sort(found.best.begin(), found.best.end(), [](const TokenProbability& a, const TokenProbability& b) {
    return a.log_probability > b.log_probability;
  });
  found.best.resize(std::min(best, found.best.size()));
  return found;
}

}  // namespace accelerate::decoding
