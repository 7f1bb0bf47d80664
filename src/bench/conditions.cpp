#include "bench/conditions.hpp"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace accelerate::bench {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

}  // namespace

Watch::Watch() : began_(std::chrono::steady_clock::now()) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  at_start_.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
  at_start_.involuntary_switches = used.ru_nivcsw;
  at_start_.load_average = records::load_average();
}

Conditions Watch::so_far() const {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  Conditions conditions = at_start_;
  conditions.wall_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  conditions.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime) - at_start_.cpu_seconds;
  conditions.involuntary_switches = used.ru_nivcsw - at_start_.involuntary_switches;
  conditions.other_cpus_busy = others_.cpus_busy();
  return conditions;
}

bool reset_resident_peak() {
  // 5 resets the peak alone (proc(5)).
  const int file = ::open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
  if (file < 0) return false;
  const bool written = ::write(file, "5", 1) == 1;
  ::close(file);
  return written;
}

}  // namespace accelerate::bench
