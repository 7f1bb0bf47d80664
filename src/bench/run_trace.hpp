// One run taken apart: when its pieces began and ended.
#pragma once

#include <chrono>
#include <cstddef>
#include <vector>

#include "core/thread_pool.hpp"
#include "graph/feeds.hpp"

namespace accelerate::bench {

using Clock = std::chrono::steady_clock;

inline double milliseconds(Clock::duration time) { return std::chrono::duration<double, std::milli>(time).count(); }

struct RunTrace {
  struct Batch {
    Clock::time_point begin, fed;  // tensors for the graph are made between the two
    StepTimes steps;               // then the steps run
    PoolWork threads;              // on these threads
    Clock::time_point end;         // and its outputs are copied out
    bool encodes = false;          // whether they are the encoder's

    // Just before a run: from here on its own times go into this batch.
    void look(Feeds& feeds, Clock::time_point began, bool of_encoder) {
      begin = began;
      encodes = of_encoder;
      steps.clear();
      feeds.step_times = &steps;
      feeds.pool_work = &threads;
      fed = Clock::now();
    }
  };
  Clock::time_point begin, prepared, end;  // tokenizing, or reading the padded tensors, lies before `prepared`
  std::vector<Batch> batches;

  // The batch of that number, made when it is the next: a trace that is filled again needs no new memory.
  Batch& batch(std::size_t number) { return number < batches.size() ? batches[number] : batches.emplace_back(); }
};

}  // namespace accelerate::bench
