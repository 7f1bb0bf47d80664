#include "bench/search.hpp"

#include <algorithm>
#include <map>

namespace accelerate::bench {
namespace {

constexpr double kGrowth = 1.03, kAsGood = 0.98;

class Search {
 public:
  explicit Search(const std::function<Tried(std::int64_t)>& attempt) : attempt_(attempt) {}

  const Tried& at(std::int64_t batch) {
    const auto known = tried_.find(batch);
    return known != tried_.end() ? known->second : tried_.emplace(batch, attempt_(batch)).first->second;
  }

  std::optional<std::int64_t> best() const {
    double most = 0;
    for (const auto& [batch, one] : tried_) {
      if (one.within_bound) most = std::max(most, one.throughput_per_s);
    }
    for (const auto& [batch, one] : tried_) {
      if (one.within_bound && one.throughput_per_s >= kAsGood * most) return batch;
    }
    return std::nullopt;
  }

  // The last size in bound and the first beyond it, where the bound was met; else 0 and 0.
  std::pair<std::int64_t, std::int64_t> edge() const {
    std::int64_t last = 0;
    for (const auto& [batch, one] : tried_) {
      if (!one.within_bound) return {last, last == 0 ? 0 : batch};
      last = batch;
    }
    return {0, 0};
  }

 private:
  const std::function<Tried(std::int64_t)>& attempt_;
  std::map<std::int64_t, Tried> tried_;
};

void grow(Search& search, std::int64_t most) {
  double best = 0;
  int flat = 0;
  for (std::int64_t batch = 1; batch <= most && flat < 2; batch *= 2) {
    const Tried& one = search.at(batch);
    if (!one.within_bound) return;
    flat = one.throughput_per_s > kGrowth * best ? 0 : flat + 1;
    best = std::max(best, one.throughput_per_s);
  }
}

}  // namespace

std::optional<std::int64_t> best_batch(std::int64_t most, const std::function<Tried(std::int64_t)>& attempt) {
  Search search(attempt);
  grow(search, most);
  // Towards the bound: throughput may still grow there.
  for (int step = 0; step < 4; ++step) {
    const auto [inside, outside] = search.edge();
    if (outside - inside <= std::max<std::int64_t>(1, inside / 8)) break;
    search.at((inside + outside) / 2);
  }
  const std::optional<std::int64_t> best = search.best();
  if (!best) return std::nullopt;
  for (const std::int64_t between : {*best * 3 / 4, *best * 3 / 2}) {
    const auto [inside, outside] = search.edge();
    if (between >= 1 && between <= most && (outside == 0 || between < outside)) search.at(between);
  }
  return search.best();
}

}  // namespace accelerate::bench
