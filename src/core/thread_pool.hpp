// The one thread pool: fork-join loops whose round trip costs a fraction of a microsecond while the workers spin.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <vector>

#include "core/cpu_allowance.hpp"

namespace accelerate {

// What the threads of a pool did while it was watched: for profiles.
struct PoolWork {
  using Time = std::chrono::steady_clock::time_point;
  struct Span {
    Time begin, end;
  };
  std::vector<std::vector<Span>> threads;  // when each worked on tasks of a shared job, in order; [0] is the caller
  std::vector<Time> joined;                // when each of these jobs was over: the caller waits from its end until then
};

// `threads` includes the thread that calls parallel_for: a pool of 1 owns no thread and runs everything inline.
// Workers spin for some tens of microseconds after their last job, then sleep.
class ThreadPool {
 public:
  // Seconds: what handing work over costs where thresholds of sharing were found, and the most that is reported.
  static constexpr double kUsualHandoff = 2.5e-6, kLongestHandoff = 20e-6;

  // Error{invalid_input} unless threads is 1 to kMostThreads.
  explicit ThreadPool(int threads = default_thread_count());
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;
  ~ThreadPool();

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Seconds that go by until every thread has read 4 KiB that another one wrote and all are done: what sharing a piece
  // of work costs. From 0.3 us on, where processors have a cache in common, to several; more than kLongestHandoff is
  // taken for a disturbance and cut to it. Where the threads never ran together it is kUsualHandoff. Measured when the
  // pool is made, in some 0.1 ms, or 0.5 ms where threads outnumber processors; and now and then again when it is asked
  // for, because a virtual machine's processors move, and others may have been busy. 0 of a pool of 1.
  double handoff_seconds();

  // What the threads will read when they have work again, shared out as tasks are: one that waits meanwhile asks for
  // the first of its part, for the memory would be idle. A hint, which holds until the next: nothing is read, and
  // `bytes` may be gone by then.
  void reads_next(std::span<const std::byte> bytes) {
    if (workers_.empty()) return;
    next_data_.store(bytes.data(), std::memory_order_relaxed);
    next_bytes_.store(bytes.size(), std::memory_order_relaxed);
  }

  // From now on writes down into `work` what the threads do; null ends it. Not while a job runs. What it holds is
  // dropped first, its memory is used again. Jobs that run inline are not seen: the caller does them.
  void watch(PoolWork* work);

  // Calls body(task, worker) once for every task in [0, count) and returns when all are done. Tasks are shared out
  // evenly, the first ones to worker 0, which is the caller; a thread takes those of its share in order, then one at a
  // time what is left of others'. So loops over the same rows find them in the cache of the processor that wrote them.
  // `worker` is in [0, threads()) and no two tasks of the same call run at the same time with the same one, so that it
  // can choose scratch memory.
  // The first exception stops the handing out and is thrown again here.
  // A call from inside a task, or while another thread's call has the workers, runs all its tasks inline with worker 0.
  template <typename Body>
  void parallel_for(std::int64_t count, Body&& body) {
    if (count <= 1 || workers_.empty() || !try_acquire()) {
      for (std::int64_t task = 0; task < count; ++task) body(task, 0);
      return;
    }
    using Plain = std::remove_reference_t<Body>;
    run(
        count,
        [](const void* context, std::int64_t task, int worker) {
          (*static_cast<Plain*>(const_cast<void*>(context)))(task, worker);
        },
        std::addressof(body));
  }

 private:
  using Call = void (*)(const void* context, std::int64_t task, int worker);
  struct Job {
    Call call = nullptr;
    const void* context = nullptr;
    std::uint64_t number = 0;              // of the pool's jobs, from 1 on
    std::int64_t count = 0, together = 1;  // tasks; how many are handed out at a time, a piece

    std::int64_t pieces() const { return (count + together - 1) / together; }
  };
  // Where a worker finds its next job: one line, so that all that it must know reaches it at once.
  class alignas(64) Post {
   public:
    void put(const Job& job);
    void put_nothing() { ticket_.fetch_add(2); }
    // Changes with each job; odd while one is being written.
    const std::atomic<std::uint32_t>& ticket() const { return ticket_; }
    void wake() { ticket_.notify_one(); }
    // The job of this ticket, if it is there still.
    std::optional<Job> look(std::uint32_t ticket) const;

   private:
    std::atomic<std::uint32_t> ticket_{0};
    std::atomic<Call> call_{nullptr};
    std::atomic<const void*> context_{nullptr};
    std::atomic<std::uint64_t> number_{0};
    std::atomic<std::int64_t> count_{0}, together_{1};
  };
  // A thread's share of the pieces of a job, which no one needs to set up: who takes its first piece does. Numbers are
  // the job's << kPieceBits | pieces.
  struct alignas(64) Share {
    std::atomic<std::uint64_t> taken{0};  // from the share, by whomever
    std::atomic<std::uint64_t> done{0};   // by the thread, of whichever share; said once it finds nothing more
  };
  struct Pieces {
    std::int64_t first = 0, count = 0;
  };
  static constexpr int kPieceBits = 16;  // the rest counts jobs: enough for years
  static constexpr std::int64_t kMostPieces = (std::int64_t{1} << kPieceBits) - 1;

  bool try_acquire();
  void stop();
  double measure_handoff(double known);
  void run(std::int64_t count, Call call, const void* context);
  void wake_sleepers();
  std::int64_t take_tasks(const Job& job, int worker);
  Pieces take(Share& share, const Job& job, std::int64_t size) const;
  void work_on(const Job& job, const Pieces& pieces, int worker);
  bool is_done(const Job& job, std::int64_t own) const;
  class Waiting;
  void wait_until_done(const Job& job, std::int64_t own);
  void worker_loop(int worker);
  std::uint32_t wait_for_job(const Post& post, std::uint32_t seen, int worker);

  // The last job cannot be entered once all its pieces are taken: so a worker that sleeps through a job costs nothing.
  // What all look at is seldom written to; what is often written to has a line of its own.
  std::vector<Post> posts_;    // one a worker
  std::vector<Share> shares_;  // one a thread
  std::vector<std::thread> workers_;
  PoolWork* watched_ = nullptr;      // changed only while no job is open, and workers look only inside one
  std::atomic<bool> failed_{false};  // a task of this job
  std::exception_ptr failure_;
  std::atomic<bool> joining_{false};  // the caller sleeps until all is done
  std::atomic<std::uint32_t> joined_{0};
  std::atomic<bool> stop_{false};
  std::atomic<int> caller_cpu_{-1};  // where the last caller that found sleepers was running
  std::atomic<double> handoff_seconds_{0};
  alignas(64) std::atomic<bool> busy_{false};
  std::uint64_t jobs_ = 0;
  std::atomic<std::uint32_t> asked_{0};  // how often for handoff_seconds()
  alignas(64) std::atomic<std::int32_t> sleepers_{0};
  alignas(64) std::atomic<const std::byte*> next_data_{nullptr};
  std::atomic<std::size_t> next_bytes_{0};
};

}  // namespace accelerate
