#include "core/thread_pool.hpp"

#include <sched.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "accelerate/error.hpp"

namespace accelerate {
namespace {

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

}  // namespace

ThreadPool::ThreadPool(int threads)
    : posts_(static_cast<std::size_t>(std::clamp(threads, 1, kMostThreads) - 1)), shares_(posts_.size() + 1) {
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
  for (Post& post : posts_) {
    post.put_nothing();
    post.wake();
  }
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Post::put(const Job& job) {
  const std::uint32_t before = ticket_.load(std::memory_order_relaxed);
  ticket_.store(before + 1, std::memory_order_relaxed);
  call_.store(job.call, std::memory_order_release);  // each after the ticket: who sees one of them looks at it again
  context_.store(job.context, std::memory_order_release);
  number_.store(job.number, std::memory_order_release);
  count_.store(job.count, std::memory_order_release);
  together_.store(job.together, std::memory_order_release);
  ticket_.store(before + 2, std::memory_order_release);
}

std::optional<ThreadPool::Job> ThreadPool::Post::look(std::uint32_t ticket) const {
  const Job job{call_.load(std::memory_order_acquire), context_.load(std::memory_order_acquire),
                number_.load(std::memory_order_acquire), count_.load(std::memory_order_acquire),
                together_.load(std::memory_order_acquire)};
  if (ticket_.load(std::memory_order_relaxed) != ticket) return std::nullopt;
  return job;
}

bool ThreadPool::try_acquire() {
  return !inside_task && !busy_.load(std::memory_order_relaxed) && !busy_.exchange(true, std::memory_order_acquire);
}

void ThreadPool::run(std::int64_t count, Call call, const void* context) {
  const Job job{call, context, ++jobs_, count, (count + kMostPieces - 1) / kMostPieces};
  for (Post& post : posts_) post.put(job);
  wake_sleepers();

  inside_task = true;
  const std::int64_t own = take_tasks(job, 0);
  inside_task = false;

  wait_until_done(job, own);
  if (watched_ != nullptr) watched_->joined.push_back(PoolWork::Time::clock::now());
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  if (failure) failed_.store(false, std::memory_order_relaxed);
  busy_.store(false, std::memory_order_release);
  if (failure) std::rethrow_exception(failure);
}

// Adding nothing puts this behind or in front of a worker's saying that it sleeps: either is seen by the other, so that
// it is woken or finds its job before it sleeps.
void ThreadPool::wake_sleepers() {
  if (sleepers_.fetch_add(0) == 0) return;
  caller_cpu_.store(sched_getcpu(), std::memory_order_relaxed);
  for (Post& post : posts_) post.wake();
}

// Returns how many pieces this thread did.
std::int64_t ThreadPool::take_tasks(const Job& job, int worker) {
  const auto threads = static_cast<std::int64_t>(shares_.size());
  const std::int64_t pieces = job.pieces();
  std::int64_t done = 0;
  PoolWork* watched = nullptr;
  PoolWork::Time begin;
  for (std::int64_t i = 0; i < threads; ++i) {
    const std::int64_t of = (worker + i) % threads;
    const std::int64_t first = pieces * of / threads, size = pieces * (of + 1) / threads - first;
    for (Pieces taken; (taken = take(shares_[static_cast<std::size_t>(of)], job, size)).count > 0;) {
      if (done == 0 && watched_ != nullptr) watched = watched_, begin = PoolWork::Time::clock::now();
      done += taken.count;
      work_on(job, {first + taken.first, taken.count}, worker);
    }
  }
  if (watched != nullptr) {
    watched->threads[static_cast<std::size_t>(worker)].push_back({begin, PoolWork::Time::clock::now()});
  }
  return done;
}

// The next piece of a share of so many, counted from its first; all that is left where a task has failed, so that
// nobody else does any; none where others have them, or have gone on to a later job.
ThreadPool::Pieces ThreadPool::take(Share& share, const Job& job, std::int64_t size) const {
  std::uint64_t seen = share.taken.load(std::memory_order_relaxed);
  for (;;) {
    const std::uint64_t held = seen >> kPieceBits;
    const auto first = held == job.number ? static_cast<std::int64_t>(seen) & kMostPieces : 0;
    if (held > job.number || first >= size) return {};
    const std::int64_t count = failed_.load(std::memory_order_relaxed) ? size - first : 1;
    const std::uint64_t wanted = job.number << kPieceBits | static_cast<std::uint64_t>(first + count);
    if (share.taken.compare_exchange_weak(seen, wanted, std::memory_order_relaxed)) return {first, count};
  }
}

void ThreadPool::work_on(const Job& job, const Pieces& pieces, int worker) {
  const std::int64_t begin = pieces.first * job.together;
  const std::int64_t end = std::min(job.count, (pieces.first + pieces.count) * job.together);
  try {
    for (std::int64_t task = begin; task < end && !failed_.load(std::memory_order_relaxed); ++task) {
      job.call(job.context, task, worker);
    }
  } catch (...) {
    if (!failed_.exchange(true)) failure_ = std::current_exception();
  }
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

bool ThreadPool::is_done(const Job& job, std::int64_t own) const {
  std::int64_t done = own;
  for (std::size_t worker = 1; worker < shares_.size(); ++worker) {
    const std::uint64_t said = shares_[worker].done.load();
    if (said >> kPieceBits == job.number) done += static_cast<std::int64_t>(said) & kMostPieces;
  }
  return done == job.pieces();
}

void ThreadPool::wait_until_done(const Job& job, std::int64_t own) {
  const auto done = [&] { return is_done(job, own); };
  if (spin_until(done, Waiting(*this, 0))) return;
  joining_.store(true);
  for (std::uint32_t seen = joined_.load(); !done(); seen = joined_.load()) joined_.wait(seen);
  joining_.store(false);
}

// The ticket of another job, or of the end.
std::uint32_t ThreadPool::wait_for_job(const Post& post, std::uint32_t seen, int worker) {
  std::uint32_t ticket = seen;
  const auto changed = [&] {
    ticket = post.ticket().load(std::memory_order_acquire);
    return ticket != seen && ticket % 2 == 0;
  };
  if (spin_until(changed, Waiting(*this, worker))) return ticket;
  sleepers_.fetch_add(1);
  post.ticket().wait(seen);
  sleepers_.fetch_sub(1);
  const int cpu = sched_getcpu();
  if (cpu >= 0 && cpu == caller_cpu_.load(std::memory_order_relaxed)) move_away_from(cpu);
  while (!changed()) relax();
  return ticket;
}

void ThreadPool::worker_loop(int worker) {
  inside_task = true;
  const Post& post = posts_[static_cast<std::size_t>(worker) - 1];
  Share& share = shares_[static_cast<std::size_t>(worker)];
  for (std::uint32_t seen = 0;;) {
    seen = wait_for_job(post, seen, worker);
    if (stop_.load()) return;
    const std::optional<Job> job = post.look(seen);
    const std::int64_t done = job ? take_tasks(*job, worker) : 0;
    if (done == 0) continue;
    share.done.store(job->number << kPieceBits | static_cast<std::uint64_t>(done));
    if (!joining_.load()) continue;
    joined_.fetch_add(1);
    joined_.notify_all();
  }
}

}  // namespace accelerate
