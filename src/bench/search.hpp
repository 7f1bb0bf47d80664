// The batch size with the best throughput, found by measuring.
#pragma once

#include <functional>
#include <optional>

#include "bench/bench.hpp"

namespace accelerate::bench {

// What one batch size gave.
struct Tried {
  bool within_bound = false;
  double throughput_per_s = 0;
};

// Doubles the batch from 1 while it stays within the bound, is no larger than `most` and throughput still grows (two
// doublings without 3 % more end it); then looks between the best and its neighbours, and where the bound was met,
// between the last size that kept to it and the first that did not. `attempt` is asked once for any size.
// The smallest size whose throughput is within 2 % of the best; none where not even 1 keeps to the bound.
std::optional<std::int64_t> best_batch(std::int64_t most, const std::function<Tried(std::int64_t batch)>& attempt);

}  // namespace accelerate::bench
