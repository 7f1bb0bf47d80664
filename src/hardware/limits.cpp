#include "hardware/limits.hpp"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <vector>

#include "backends/cpu/kernels.hpp"
#include "core/memory.hpp"
#include "hardware/cpu_info.hpp"

namespace accelerate::hardware {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t kPage = 4096, kSmallest = std::int64_t{32} << 10;
// Parts smaller than this are read by each thread on its own: starting all of them would take as long as reading.
constexpr std::int64_t kAlone = std::int64_t{1} << 20;

// Three times the last cache, so that little of a pass is still there in the next; no more than an eighth of what is
// free.
std::int64_t largest_working_set() {
  const CpuInfo info = read_cpu_info();
  std::int64_t last = std::int64_t{8} << 20;
  for (const Cache& cache : info.caches) last = std::max(last, cache.bytes);
  const std::int64_t room = info.memory_available > 0 ? info.memory_available / 8 : std::int64_t{256} << 20;
  return std::max(kAlone, std::min({3 * last, room, std::int64_t{256} << 20}));
}

// Calls each(thread) on every thread at once and adds up what they return.
template <typename Each>
double sum_of_threads(ThreadPool& pool, Each&& each) {
  std::vector<double> sums(static_cast<std::size_t>(pool.threads()));
  pool.parallel_for(pool.threads(), [&](std::int64_t task, int) { sums[static_cast<std::size_t>(task)] = each(task); });
  return std::accumulate(sums.begin(), sums.end(), 0.0);
}

// Pages that were never written are all the same page of zeros, which stays in the first cache.
void touch(ThreadPool& pool, std::span<std::byte> bytes, std::size_t part) {
  pool.parallel_for(pool.threads(), [&](std::int64_t task, int) {
    for (std::size_t i = 0; i < part; i += kPage) bytes[static_cast<std::size_t>(task) * part + i] = std::byte{1};
  });
}

}  // namespace

LimitMeter::LimitMeter(int threads) : pool_(threads) {}

double LimitMeter::operations_per_second(Precision precision, double milliseconds) {
  const cpu::Kernels& kernels = cpu::kernels(cpu::current_level());
  return 1e9 *
         sum_of_threads(pool_, [&](std::int64_t) { return kernels.measure_peak_gflops(milliseconds, precision); });
}

double LimitMeter::read_bytes_per_second(std::int64_t working_set, double milliseconds) {
  const cpu::Kernels& kernels = cpu::kernels(cpu::current_level());
  const std::int64_t size = std::clamp(working_set, kSmallest, largest_working_set());
  const auto part = static_cast<std::size_t>(std::max(kPage, size / pool_.threads() / kPage * kPage));
  HostBuffer buffer(part * static_cast<std::size_t>(pool_.threads()));
  touch(pool_, buffer.bytes(), part);
  const auto part_of = [&](std::int64_t task) {
    return std::span<const std::byte>(buffer.bytes()).subspan(static_cast<std::size_t>(task) * part, part);
  };
  if (part < static_cast<std::size_t>(kAlone)) {
    return sum_of_threads(
        pool_, [&](std::int64_t task) { return kernels.measure_read_bytes_per_second(part_of(task), milliseconds); });
  }
  // All threads together, so that what they share (a cache, the memory) is shared while it is measured.
  const auto until = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  double best = 0;
  do {
    const auto start = Clock::now();
    sum_of_threads(pool_, [&](std::int64_t task) { return kernels.measure_read_bytes_per_second(part_of(task), 0); });
    const std::chrono::duration<double> took = Clock::now() - start;
    best = std::max(best, static_cast<double>(buffer.size()) / took.count());
  } while (Clock::now() < until);
  return best;
}

}  // namespace accelerate::hardware
