// How busy the machine was with other work: a measurement says under which conditions it was taken.
#pragma once

#include <chrono>
#include <optional>

namespace accelerate::records {

// Processes that ran or waited to run, averaged over the last minute, as /proc/loadavg has it; none where it cannot be
// read.
std::optional<double> load_average();

// CPUs' worth of time that other processes used since it was made: all CPUs' busy time less this process's own.
class OtherWork {
 public:
  OtherWork();
  // 0.0 = this process was alone; none where /proc/stat cannot be read or less than 50 ms have passed.
  std::optional<double> cpus_busy() const;

 private:
  std::chrono::steady_clock::time_point began_;
  std::optional<double> all_, own_;  // seconds
};

}  // namespace accelerate::records
