// One row measured.
#pragma once

#include "bench/bench.hpp"
#include "hardware/limits.hpp"

namespace accelerate::bench {

struct MeasureOptions {
  double seconds = 3;
  bool profile = false;
  std::int64_t most_bytes = 0;  // predicted memory beyond it is refused; 0: only what the machine has counts
};

// Fills in `row`, whose precision, threads and state are set: opens the folder, predicts, loads, warms up and repeats
// until the median is stable. Error{interrupted}; any other trouble that belongs to this row alone is its state.
void measure(const Options& options, Workload workload, const MeasureOptions& measure_options,
             hardware::LimitMeter& meter, Row& row);

// Bytes that this process can still have: what the machine has free, and what its cgroup allows.
std::int64_t available_memory();

}  // namespace accelerate::bench
