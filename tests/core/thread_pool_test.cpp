#include "core/thread_pool.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <numeric>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int threads : {1, 2, 3, 5}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (const int count : {0, 1, 2, 3, 7, 100, 1000, 65535, 65536, 200001}) {
      std::vector<std::atomic<int>> runs(static_cast<std::size_t>(count));
      pool.parallel_for(count, [&](std::int64_t task, int) { ++runs[static_cast<std::size_t>(task)]; });
      for (const auto& times : runs) ASSERT_EQ(times.load(), 1) << threads << " threads, " << count << " tasks";
    }
  }
}

TEST(ThreadPool, PlainWritesOfTasksAreSeenByTheCaller) {
  ThreadPool pool(3);
  std::vector<std::int64_t> values(64);
  for (std::int64_t round = 1; round < 2000; ++round) {
    pool.parallel_for(64, [&](std::int64_t task, int) { values[static_cast<std::size_t>(task)] = round * task; });
    ASSERT_EQ(std::accumulate(values.begin(), values.end(), std::int64_t{0}), round * 63 * 64 / 2);
  }
}

TEST(ThreadPool, AWorkerNumberIsUsedByOneTaskAtATime) {
  ThreadPool pool(4);
  std::vector<std::atomic<int>> inside(4);
  std::atomic<bool> shared = false, outside = false;
  for (int round = 0; round < 200; ++round) {
    pool.parallel_for(50, [&](std::int64_t, int worker) {
      if (worker < 0 || worker >= 4) {
        outside = true;
        return;
      }
      if (inside[static_cast<std::size_t>(worker)].fetch_add(1) != 0) shared = true;
      inside[static_cast<std::size_t>(worker)].fetch_sub(1);
    });
  }
  EXPECT_FALSE(shared);
  EXPECT_FALSE(outside);
}

TEST(ThreadPool, AWatchedPoolTellsWhenItsThreadsWorked) {
  ThreadPool pool(3);
  PoolWork work;
  pool.watch(&work);
  const auto begin = PoolWork::Time::clock::now();
  for (int job = 0; job < 50; ++job) pool.parallel_for(30, [](std::int64_t, int) {});
  pool.parallel_for(1, [](std::int64_t, int) {});  // runs inline
  const auto end = PoolWork::Time::clock::now();
  pool.watch(nullptr);
  pool.parallel_for(30, [](std::int64_t, int) {});
  ASSERT_EQ(work.threads.size(), 3U);
  EXPECT_EQ(work.threads[0].size(), 50U);
  ASSERT_EQ(work.joined.size(), 50U);
  for (const auto& spans : work.threads) {
    EXPECT_LE(spans.size(), 50U);
    auto last = begin;
    for (const PoolWork::Span& span : spans) {
      EXPECT_LE(last, span.begin);
      EXPECT_LE(span.begin, span.end);
      last = span.end;
    }
    EXPECT_LE(last, end);
  }
  for (std::size_t job = 0; job < 50; ++job) EXPECT_LE(work.threads[0][job].end, work.joined[job]);
  ThreadPool(1).watch(&work);
  EXPECT_EQ(work.threads.size(), 1U);
  EXPECT_TRUE(work.joined.empty());
}

// A worker that comes late finds nothing of a job that is over, whatever came after it.
TEST(ThreadPool, WhoComesLateDoesNothingOfAJobThatIsOver) {
  ThreadPool pool(4);
  std::atomic<int> late{0};
  for (int job = 0; job < 20000; ++job) {
    std::atomic<bool> open{true};
    const int count = 1 + job % 7;
    std::atomic<int> done{0};
    pool.parallel_for(count, [&](std::int64_t, int) {
      if (!open.load()) ++late;
      ++done;
    });
    open.store(false);
    ASSERT_EQ(done.load(), count);
  }
  EXPECT_EQ(late.load(), 0);
}

TEST(ThreadPool, SeveralThreadsTakePart) {
  ThreadPool pool(2);
  std::atomic<int> arrived = 0;
  // Each task waits for the other: only two threads at once can finish.
  pool.parallel_for(2, [&](std::int64_t, int) {
    ++arrived;
    while (arrived.load() < 2) std::this_thread::yield();
  });
  EXPECT_EQ(arrived.load(), 2);
}

TEST(ThreadPool, SleepingWorkersWakeUp) {
  ThreadPool pool(2);
  for (int round = 0; round < 3; ++round) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::milliseconds(5);
    while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    std::atomic<int> arrived = 0;
    pool.parallel_for(2, [&](std::int64_t, int) {
      ++arrived;
      while (arrived.load() < 2) std::this_thread::yield();
    });
    EXPECT_EQ(arrived.load(), 2);
  }
}

TEST(ThreadPool, TheFirstExceptionReachesTheCaller) {
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    for (int round = 0; round < 100; ++round) {
      std::atomic<int> finished = 0;
      try {
        pool.parallel_for(100000, [&](std::int64_t task, int) {
          if (task == 5) throw std::runtime_error("task 5");
          ++finished;
        });
        FAIL() << "the exception was swallowed";
      } catch (const std::runtime_error& error) {
        EXPECT_STREQ(error.what(), "task 5");
      }
      EXPECT_LT(finished.load(), 100000) << "a failure must stop the handing out";
    }
    std::atomic<int> after = 0;
    pool.parallel_for(10, [&](std::int64_t, int) { ++after; });
    EXPECT_EQ(after.load(), 10) << "the pool must be usable after a failure";
  }
}

TEST(ThreadPool, NestedLoopsRunInline) {
  ThreadPool pool(3);
  std::atomic<int> sum = 0;
  std::atomic<bool> moved = false;
  pool.parallel_for(8, [&](std::int64_t, int) {
    const std::thread::id here = std::this_thread::get_id();
    pool.parallel_for(16, [&](std::int64_t, int worker) {
      if (std::this_thread::get_id() != here || worker != 0) moved = true;
      ++sum;
    });
  });
  EXPECT_EQ(sum.load(), 128);
  EXPECT_FALSE(moved);
}

TEST(ThreadPool, SeveralCallersShareIt) {
  ThreadPool pool(3);
  std::vector<std::thread> callers;
  std::vector<std::int64_t> sums(4);
  for (std::size_t caller = 0; caller < sums.size(); ++caller) {
    callers.emplace_back([&pool, &sums, caller] {
      for (int round = 0; round < 500; ++round) {
        std::atomic<std::int64_t> sum = 0;
        pool.parallel_for(20, [&](std::int64_t task, int) { sum += task; });
        sums[caller] += sum.load();
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  for (const std::int64_t sum : sums) EXPECT_EQ(sum, 500 * 190);
}

// Asking for memory must not touch it: what was announced may be gone, too short for a line, or new while threads wait.
TEST(ThreadPool, WhatIsReadNextIsOnlyAskedFor) {
  ThreadPool pool(3);
  std::vector<std::vector<std::byte>> announced;
  for (const std::size_t size : {0, 1, 63, 64, 1000, 1 << 20}) announced.emplace_back(size);
  std::atomic<int> sum{0};
  for (int job = 0; job < 300; ++job) {
    const std::vector<std::byte>& next = announced[static_cast<std::size_t>(job) % announced.size()];
    pool.reads_next(next);
    if (job == 200) announced.back() = {};
    pool.parallel_for(7, [&](std::int64_t task, int) { sum += static_cast<int>(task); });
    if (job % 50 == 0) std::this_thread::sleep_for(std::chrono::microseconds(100));
  }
  pool.reads_next({reinterpret_cast<const std::byte*>(std::uintptr_t{4096}), std::size_t{1} << 40});
  pool.parallel_for(7, [&](std::int64_t task, int) { sum += static_cast<int>(task); });
  EXPECT_EQ(sum.load(), 301 * 21);
}

// A worker that is between two jobs when the pool goes must not miss it.
TEST(ThreadPool, GoesRightAfterItsWork) {
  for (int round = 0; round < 1000; ++round) {
    ThreadPool pool(3);
    for (int job = 0; job < 20; ++job) pool.parallel_for(3, [](std::int64_t, int) {});
    for (volatile int wait = round % 300; wait > 0;) wait = wait - 1;
  }
}

// The best of several pools, for others use the processors too: those whose threads never met report the usual.
TEST(ThreadPool, KnowsWhatSharingCosts) {
  EXPECT_EQ(ThreadPool(1).handoff_seconds(), 0);
  // Other tests may keep the processors busy: then threads do not meet, for a while.
  double best = ThreadPool::kLongestHandoff;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (best == ThreadPool::kLongestHandoff && std::chrono::steady_clock::now() < end) {
    const double seconds = ThreadPool(2).handoff_seconds();
    EXPECT_GT(seconds, 1e-8);
    EXPECT_LE(seconds, ThreadPool::kLongestHandoff);
    if (seconds != ThreadPool::kUsualHandoff) best = std::min(best, seconds);
  }
  ThreadPool pool(2);
  for (int asked = 0; asked < 200000; ++asked) {  // measured anew meanwhile
    const double seconds = pool.handoff_seconds();
    ASSERT_TRUE(seconds > 1e-8 && seconds <= ThreadPool::kLongestHandoff) << seconds;
  }
  if (cpu_allowance().usable < 2) GTEST_SKIP() << "one processor, where threads do not meet";
  EXPECT_LT(best, ThreadPool::kLongestHandoff);
}

TEST(ThreadPool, RefusesAbsurdCounts) {
  for (const int threads : {0, -1, 1025}) {
    try {
      ThreadPool pool(threads);
      FAIL() << threads;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    }
  }
}

TEST(ThreadCount, TheVariableDecides) {
  ASSERT_EQ(setenv("ACCELERATE_THREADS", "7", 1), 0);
  EXPECT_EQ(default_thread_count(), 7);
  for (const char* wrong : {"0", "-3", "two", "4x", "5000"}) {
    setenv("ACCELERATE_THREADS", wrong, 1);
    EXPECT_THROW(default_thread_count(), Error) << wrong;
  }
  unsetenv("ACCELERATE_THREADS");
  EXPECT_EQ(default_thread_count(), cpu_allowance().usable);
}

TEST(ThreadCount, AllowanceIsSane) {
  const CpuAllowance allowance = cpu_allowance();
  EXPECT_GE(allowance.affinity, 1);
  EXPECT_GE(allowance.usable, 1);
  EXPECT_LE(allowance.usable, allowance.affinity);
}

// A made-up /proc and /sys, so that both generations of cgroups are covered on any machine.
class Cgroup : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const { folder_.write(path, text); }
  const TemporaryFolder folder_;
  const std::filesystem::path& root_ = folder_.path();
};

TEST_F(Cgroup, AbsentMeansNoLimit) { EXPECT_EQ(cgroup_cpu_quota(root_), 0.0); }

TEST_F(Cgroup, Version2TakesTheSmallestOnTheWayUp) {
  write("proc/self/cgroup", "0::/outer/inner\n");
  write("sys/fs/cgroup/outer/inner/cpu.max", "max 100000\n");
  write("sys/fs/cgroup/outer/cpu.max", "150000 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_), 1.5);
  write("sys/fs/cgroup/outer/inner/cpu.max", "50000 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_), 0.5);
}

TEST_F(Cgroup, Version2InsideAContainerReadsTheMount) {
  write("proc/self/cgroup", "0::/not/visible/here\n");
  write("sys/fs/cgroup/cpu.max", "300000 100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_), 3.0);
}

TEST_F(Cgroup, Version1) {
  write("proc/self/cgroup", "5:memory:/box\n4:cpu,cpuacct:/box\n");
  write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "250000\n");
  write("sys/fs/cgroup/cpu/box/cpu.cfs_period_us", "100000\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_), 2.5);
  write("sys/fs/cgroup/cpu/box/cpu.cfs_quota_us", "-1\n");
  EXPECT_DOUBLE_EQ(cgroup_cpu_quota(root_), 0.0);
}

}  // namespace
}  // namespace accelerate
