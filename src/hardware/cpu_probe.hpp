// The processor: what is known of it, how fast it is, and whether a small graph comes out right on it.
#pragma once

#include "accelerate/devices.hpp"

namespace accelerate::hardware {

struct CpuProbeOptions {
  bool measure = true;          // false: facts and the small graph only
  int threads = 0;              // of the measurements; 0 = default_thread_count()
  double milliseconds = 200.0;  // for all the measurements
};

// Facts of read_cpu_info, the vector level in use, and by running the multiply-add loop of that level and reads of
// memory beyond the last cache: "peak f32, one core", "peak f32, all threads", the same of bf16 and int8 (in the
// arithmetic that products of that precision use on this level), "read, one thread", "read, all threads". What fails
// is reported, not thrown.
DeviceReport probe_cpu(const CpuProbeOptions& options = {});

}  // namespace accelerate::hardware
