// What a list of times says: percentiles, spread, and whether its median can be relied on.
#pragma once

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace accelerate::bench {

struct Summary {
  std::size_t samples = 0;
  double min = 0, p10 = 0, p50 = 0, p90 = 0, p99 = 0;  // p50 is the median, the others nearest ranks
  double spread = 0;                                   // half the distance from p10 to p90, over the median
  bool stable = false;                                 // is_stable() of the times
};

// Zeros for no times. All times are above 0.
Summary summary_of(std::span<const double> times);

// The 95 % confidence interval of the median, from the ranks of the sorted times and no assumption about how they are
// distributed (David & Nagaraja, Order Statistics, 7.1). The whole range for fewer than six times.
std::pair<double, double> median_interval(std::vector<double> times);

// Whether the median holds: both ends of its 95 % confidence interval lie within 2 % of it, and the medians of the
// first and the second half of the times do too (a machine that becomes slower has a narrow interval and no median).
// Never with fewer than 10 times.
bool is_stable(std::span<const double> times);

}  // namespace accelerate::bench
