// What this machine reaches when it does nothing else: the yardstick of every share of the limit.
#pragma once

#include <cstdint>

#include "backends/backend.hpp"
#include "core/thread_pool.hpp"

namespace accelerate::hardware {

// Measures the processor with as many threads as the work that it stands beside. Speeds change with heat and with
// neighbours: measure again beside every piece of work, never once for all.
class LimitMeter {
 public:
  // Error{invalid_input} unless threads is 1 to 1024.
  explicit LimitMeter(int threads);

  // Operations a second, 2 a multiply-add, of all threads together: the best that short pieces of nothing but
  // multiply-adds reached, in the arithmetic that products of this precision use on this level of vector instructions.
  double operations_per_second(Precision precision, double milliseconds = 20);
  // Bytes a second that all threads together read out of `working_set` bytes, each its own part, again and again: what
  // fits into a cache is read from it. Working sets beyond some times the last cache are measured as that.
  double read_bytes_per_second(std::int64_t working_set, double milliseconds = 10);

 private:
  ThreadPool pool_;
};

}  // namespace accelerate::hardware
