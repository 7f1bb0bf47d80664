#include "bench/statistics.hpp"

#include <algorithm>
#include <cmath>

namespace accelerate::bench {
namespace {

constexpr double kTolerance = 0.02;
constexpr std::size_t kLeastTimes = 10, kLeastForInterval = 6;

double median_of_sorted(std::span<const double> sorted) {
  const std::size_t middle = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// The smallest time that a share of the times does not exceed.
double nearest_rank(std::span<const double> sorted, double share) {
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

std::vector<double> sorted_copy(std::span<const double> times) {
  std::vector<double> sorted(times.begin(), times.end());
  std::ranges::sort(sorted);
  return sorted;
}

double median_of(std::span<const double> times) { return median_of_sorted(sorted_copy(times)); }

}  // namespace

Summary summary_of(std::span<const double> times) {
  Summary summary;
  if (times.empty()) return summary;
  const std::vector<double> sorted = sorted_copy(times);
  summary.samples = sorted.size();
  summary.min = sorted.front();
  summary.p10 = nearest_rank(sorted, 0.10);
  summary.p50 = median_of_sorted(sorted);
  summary.p90 = nearest_rank(sorted, 0.90);
  summary.p99 = nearest_rank(sorted, 0.99);
  summary.spread = (summary.p90 - summary.p10) / 2 / summary.p50;
  summary.stable = is_stable(times);
  return summary;
}

std::pair<double, double> median_interval(std::vector<double> times) {
  if (times.empty()) return {0, 0};
  std::ranges::sort(times);
  if (times.size() < kLeastForInterval) return {times.front(), times.back()};
  // How many times lie below the median is binomial: within 1.96 of its standard deviations of half of them.
  const double count = static_cast<double>(times.size()), reach = 1.96 * std::sqrt(count) / 2;
  const auto low = static_cast<std::size_t>(std::max(0.0, std::floor(count / 2 - reach)));
  const auto high = static_cast<std::size_t>(std::min(count - 1, std::ceil(count / 2 + reach)));
  return {times[low], times[high]};
}

bool is_stable(std::span<const double> times) {
  if (times.size() < kLeastTimes) return false;
  const double median = median_of(times), allowed = kTolerance * median;
  const auto [low, high] = median_interval({times.begin(), times.end()});
  const std::size_t half = times.size() / 2;
  const auto near = [&](double value) { return std::abs(value - median) <= allowed; };
  return near(low) && near(high) && near(median_of(times.first(half))) && near(median_of(times.subspan(half)));
}

}  // namespace accelerate::bench
