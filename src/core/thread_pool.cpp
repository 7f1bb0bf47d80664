#include "core/thread_pool.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "accelerate/error.hpp"

namespace accelerate {
namespace {

constexpr int kMostThreads = 1024;
constexpr auto kSpin = std::chrono::microseconds(50);

// Set while this thread works on a task, so that a loop inside it runs inline.
thread_local bool inside_task = false;

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// True once `done` is, false when kSpin has passed first; between looks `meanwhile` is called. The clock is read
// rarely: it costs as much as many looks.
template <typename Done, typename Meanwhile>
bool spin_until(Done done, Meanwhile meanwhile) {
  for (int look = 0; look < 64; ++look) {
    if (done()) return true;
    meanwhile();
  }
  const auto start = std::chrono::steady_clock::now();
  do {
    for (int look = 0; look < 32; ++look) {
      if (done()) return true;
      meanwhile();
    }
  } while (std::chrono::steady_clock::now() - start < kSpin);
  return false;
}

// A woken worker may be put behind its waker on a busy machine, where it only ever runs when the waker does not: both
// then sleep and wake in turn and nothing is shared. So it goes to another CPU of its mask, if there is one; the mask
// stays as it was.
void move_away_from(int cpu) {
  cpu_set_t allowed;
  if (sched_getaffinity(0, sizeof allowed, &allowed) != 0 || CPU_COUNT(&allowed) < 2 || !CPU_ISSET(cpu, &allowed)) {
    return;
  }
  cpu_set_t others = allowed;
  CPU_CLR(cpu, &others);
  if (sched_setaffinity(0, sizeof others, &others) == 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

double quota_of_v2(const std::filesystem::path& folder) {
  std::ifstream file(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_of_v1(const std::filesystem::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us"), period_file(folder / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

// The smallest limit from `path` up to the mount; inside a container the path may not exist below it, the mount does.
double smallest_quota(const std::filesystem::path& mount, std::filesystem::path path,
                      double (*quota_of)(const std::filesystem::path&)) {
  double smallest = 0;
  for (;; path = path.parent_path()) {
    const double quota = quota_of(mount / path.relative_path());
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
    if (!path.has_relative_path()) return smallest;
  }
}

}  // namespace

double cgroup_cpu_quota(const std::filesystem::path& root) {
  std::ifstream membership(root / "proc/self/cgroup");
  const std::filesystem::path mount = root / "sys/fs/cgroup";
  double smallest = 0;
  for (std::string line; std::getline(membership, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    double quota = 0;
    if (controllers == ",,") quota = smallest_quota(mount, path, quota_of_v2);
    if (controllers.find(",cpu,") != std::string::npos) {
      quota = smallest_quota(mount / "cpu", path, quota_of_v1);
      if (quota == 0) quota = smallest_quota(mount / controllers.substr(1, controllers.size() - 2), path, quota_of_v1);
    }
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  }
  return smallest;
}

CpuAllowance cpu_allowance() {
  CpuAllowance allowance;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    allowance.affinity = std::max(1, CPU_COUNT(&set));
  } else {
    allowance.affinity = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  allowance.quota = cgroup_cpu_quota("/");
  allowance.usable = allowance.affinity;
  if (allowance.quota > 0) {
    const double whole = std::max(1.0, std::ceil(allowance.quota - 0.01));
    allowance.usable = static_cast<int>(std::min<double>(allowance.affinity, whole));
  }
  return allowance;
}

int default_thread_count() {
  const char* text = std::getenv("ACCELERATE_THREADS");
  if (text == nullptr || *text == '\0') return cpu_allowance().usable;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  if (*end != '\0' || count < 1 || count > kMostThreads) {
    throw Error(ErrorKind::invalid_input, "found \"" + std::string(text) + "\", expected a number from 1 to 1024",
                "ACCELERATE_THREADS");
  }
  return static_cast<int>(count);
}

ThreadPool::ThreadPool(int threads) : shares_(static_cast<std::size_t>(std::clamp(threads, 1, kMostThreads))) {
  if (threads < 1 || threads > kMostThreads) {
    throw Error(ErrorKind::invalid_input,
                "a thread pool of " + std::to_string(threads) + " threads was asked for, expected 1 to 1024");
  }
  workers_.reserve(static_cast<std::size_t>(threads - 1));
  try {
    for (int worker = 1; worker < threads; ++worker) workers_.emplace_back([this, worker] { worker_loop(worker); });
    if (threads > 1) handoff_seconds_ = measure_handoff(kUsualHandoff);
  } catch (const std::system_error& error) {
    stop();
    throw Error(ErrorKind::unavailable,
                "the system refused thread " + std::to_string(workers_.size() + 2) + " of " + std::to_string(threads) +
                    ": " + error.what(),
                {}, "ask for fewer threads");
  } catch (...) {  // no memory to measure in: a thread that is not joined would end the process
    stop();
    throw;
  }
}

// What a thread does between two looks whether it has waited enough: it asks for some lines of what it reads next, as
// many as a part of its second-level cache holds, and then only rests.
class ThreadPool::Waiting {
 public:
  Waiting(const ThreadPool& pool, int worker)
      : pool_(pool), worker_(static_cast<std::size_t>(worker)), threads_(pool.shares_.size()) {}

  void operator()() {
    const std::byte* data = pool_.next_data_.load(std::memory_order_relaxed);
    if (data != seen_) begin(data);
    if (left_ < kTogether) return relax();
    for (std::size_t i = 0; i < kTogether; i += kLine) __builtin_prefetch(at_ + i, 0, 2);
    at_ += kTogether;
    left_ -= kTogether;
  }

 private:
  static constexpr std::size_t kLine = 64, kTogether = 4 * kLine, kMost = std::size_t{256} << 10;

  void begin(const std::byte* data) {
    // Null comes before its size: that of what was announced before may still stand.
    const std::size_t bytes = data == nullptr ? 0 : pool_.next_bytes_.load(std::memory_order_relaxed);
    const std::size_t first = bytes * worker_ / threads_ / kLine * kLine;
    seen_ = data;
    at_ = data + first;
    left_ = std::min(kMost, bytes * (worker_ + 1) / threads_ - first);
  }

  const ThreadPool& pool_;
  std::size_t worker_, threads_;
  const std::byte *seen_ = nullptr, *at_ = nullptr;
  std::size_t left_ = 0;
};

double ThreadPool::handoff_seconds() {
  if (workers_.empty()) return 0;
  const double known = handoff_seconds_.load(std::memory_order_relaxed);
  const std::uint32_t every = known == kUsualHandoff ? 1U << 10U : 1U << 16U;
  const bool again = asked_.fetch_add(1, std::memory_order_relaxed) % every == every - 1;
  if (!again || inside_task || busy_.load(std::memory_order_relaxed)) return known;
  const double measured = measure_handoff(known);
  handoff_seconds_.store(measured, std::memory_order_relaxed);
  return measured;
}

// The least of some rounds: in others a thread was asleep, or somebody else had its processor. What was known where the
// threads never ran together.
double ThreadPool::measure_handoff(double known) {
  using Clock = std::chrono::steady_clock;
  struct alignas(64) Line {
    std::atomic<std::uint32_t> number{0};
  };
  constexpr int kRounds = 32;
  constexpr std::size_t kLines = 64;  // 4 KiB
  constexpr auto kLongest = std::chrono::microseconds(50), kLongestOfAll = std::chrono::microseconds(500);
  const std::size_t count = shares_.size();
  std::vector<Line> lines(count * kLines);
  std::atomic<std::size_t> arrived{0};
  double least = std::numeric_limits<double>::infinity();
  const Clock::time_point begin = Clock::now();
  for (std::size_t round = 0; round < kRounds && Clock::now() - begin < kLongestOfAll; ++round) {
    arrived.store(0);
    std::atomic<bool> together{true};
    const Clock::time_point start = Clock::now();
    parallel_for(static_cast<std::int64_t>(count), [&](std::int64_t task, int) {
      // Nobody does another's task beside its own: all wait for all.
      for (arrived.fetch_add(1); arrived.load() < count && Clock::now() - start < kLongest;) relax();
      if (arrived.load() < count) together.store(false);
      const std::size_t others = (static_cast<std::size_t>(task) + round) % count * kLines;
      for (std::size_t i = 0; i < kLines; ++i) lines[others + i].number.fetch_add(1, std::memory_order_relaxed);
    });
    const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    if (together.load()) least = std::min(least, seconds);
  }
  return std::isinf(least) ? known : std::min(least, kLongestHandoff);
}

ThreadPool::~ThreadPool() { stop(); }

void ThreadPool::stop() {
  stop_.store(true);
  epoch_.fetch_add(2);
  epoch_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

bool ThreadPool::try_acquire() {
  return !inside_task && !busy_.load(std::memory_order_relaxed) && !busy_.exchange(true, std::memory_order_acquire);
}

void ThreadPool::run(std::int64_t count, Call call, const void* context) {
  call_ = call;
  context_ = context;
  const auto threads = static_cast<std::int64_t>(shares_.size());
  for (std::int64_t i = 0; i < threads; ++i) {
    Share& share = shares_[static_cast<std::size_t>(i)];
    share.next.store(count * i / threads, std::memory_order_relaxed);
    share.end = count * (i + 1) / threads;
  }
  failed_.store(false, std::memory_order_relaxed);
  epoch_.fetch_add(1);
  if (sleepers_.load() > 0) {
    caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
    epoch_.notify_all();
  }

  inside_task = true;
  take_watched_tasks(0);
  inside_task = false;

  epoch_.fetch_add(1);
  wait_until_idle();
  if (watched_ != nullptr) watched_->joined.push_back(PoolWork::Time::clock::now());
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  busy_.store(false, std::memory_order_release);
  if (failure) std::rethrow_exception(failure);
}

void ThreadPool::take_tasks(int worker) {
  const std::size_t own = static_cast<std::size_t>(worker);
  for (std::size_t i = 0; i < shares_.size(); ++i) take_share(shares_[(own + i) % shares_.size()], worker);
}

void ThreadPool::take_share(Share& share, int worker) {
  while (!failed_.load(std::memory_order_relaxed)) {
    // Looked at first: what is used up is not written to again, which would take its line from its owner.
    if (share.next.load(std::memory_order_relaxed) >= share.end) return;
    const std::int64_t task = share.next.fetch_add(1, std::memory_order_relaxed);
    if (task >= share.end) return;
    try {
      call_(context_, task, worker);
    } catch (...) {
      if (!failed_.exchange(true)) failure_ = std::current_exception();
    }
  }
}

void ThreadPool::take_watched_tasks(int worker) {
  if (watched_ == nullptr) return take_tasks(worker);
  const PoolWork::Time begin = PoolWork::Time::clock::now();
  take_tasks(worker);
  watched_->threads[static_cast<std::size_t>(worker)].push_back({begin, PoolWork::Time::clock::now()});
}

void ThreadPool::watch(PoolWork* work) {
  if (work != nullptr) {
    work->threads.resize(static_cast<std::size_t>(threads()));
    work->joined.clear();
    for (auto& spans : work->threads) spans.clear();
  }
  while (busy_.exchange(true, std::memory_order_acquire)) relax();
  watched_ = work;
  busy_.store(false, std::memory_order_release);
}

void ThreadPool::wait_until_idle() {
  if (spin_until([this] { return active_.load() == 0; }, Waiting(*this, 0))) return;
  joining_.store(true);
  for (std::int32_t active = active_.load(); active != 0; active = active_.load()) active_.wait(active);
  joining_.store(false);
}

bool ThreadPool::wait_for_job(std::uint32_t& seen, int worker) {
  // The epoch that stop() moved on may be the one that was seen when the last job was entered: then no other will come.
  const auto changed = [&] { return epoch_.load() != seen || stop_.load(); };
  if (!spin_until(changed, Waiting(*this, worker))) {
    sleepers_.fetch_add(1);
    epoch_.wait(seen);
    sleepers_.fetch_sub(1);
    const int cpu = sched_getcpu();
    if (cpu >= 0 && cpu == caller_cpu_.load(std::memory_order_relaxed)) move_away_from(cpu);
  }
  if (stop_.load()) return false;
  seen = epoch_.load();
  return true;
}

void ThreadPool::worker_loop(int worker) {
  inside_task = true;
  std::uint32_t seen = 0;
  while (wait_for_job(seen, worker)) {
    if (seen % 2 == 0) continue;
    active_.fetch_add(1);
    seen = epoch_.load();
    if (seen % 2 == 1) take_watched_tasks(worker);
    if (active_.fetch_sub(1) == 1 && joining_.load()) active_.notify_all();
  }
}

}  // namespace accelerate
