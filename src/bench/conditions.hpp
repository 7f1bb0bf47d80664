// Under which conditions something was measured: what other processes did meanwhile, and what it took of ours.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "records/load.hpp"

namespace accelerate::bench {

struct Conditions {
  double wall_seconds = 0, cpu_seconds = 0;  // of this process, all its threads together
  std::int64_t involuntary_switches = 0;     // times that one of our threads had to give up its CPU
  std::optional<double> load_average;        // of the last minute, when it began; none where the system does not say
  std::optional<double> other_cpus_busy;     // CPUs' worth of time that other processes used; none where not known
  // Whether other processes took so little (a tenth of a CPU at most) that wall time can be relied on.
  bool quiet() const { return other_cpus_busy.value_or(0) <= 0.1; }
};

// Watches from its making on.
class Watch {
 public:
  Watch();
  Conditions so_far() const;

 private:
  std::chrono::steady_clock::time_point began_;
  Conditions at_start_;
  records::OtherWork others_;
};

// From now on resident_memory().peak counts anew. False where the system cannot do that.
bool reset_resident_peak();

}  // namespace accelerate::bench
