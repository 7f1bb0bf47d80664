#include "records/load.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace accelerate::records {
namespace {

// Seconds that all CPUs together were busy since the start: user, nice, system, irq, softirq (steal is not ours to
// count: another machine took it, and it shows in nobody's time here).
std::optional<double> busy_seconds() {
  std::ifstream file("/proc/stat");
  std::string word;
  double user = 0, nice = 0, system = 0, idle = 0, wait = 0, irq = 0, softirq = 0;
  if (!(file >> word >> user >> nice >> system >> idle >> wait >> irq >> softirq) || word != "cpu") return std::nullopt;
  const long ticks = sysconf(_SC_CLK_TCK);
  if (ticks <= 0) return std::nullopt;
  return (user + nice + system + irq + softirq) / static_cast<double>(ticks);
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
}

std::optional<double> own_seconds() {
  rusage usage{};
  if (getrusage(RUSAGE_SELF, &usage) != 0) return std::nullopt;
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

std::optional<double> load_average() {
  std::ifstream file("/proc/loadavg");
  double load = 0;
  if (!(file >> load)) return std::nullopt;
  return load;
}

OtherWork::OtherWork() : began_(std::chrono::steady_clock::now()), all_(busy_seconds()), own_(own_seconds()) {}

std::optional<double> OtherWork::cpus_busy() const {
  const std::chrono::duration<double> passed = std::chrono::steady_clock::now() - began_;
  const std::optional<double> all = busy_seconds(), own = own_seconds();
  // The system counts in hundredths of a second: less than this says nothing.
  if (!all_ || !own_ || !all || !own || passed.count() < 0.05) return std::nullopt;
  return std::max(0.0, ((*all - *all_) - (*own - *own_)) / passed.count());
}

}  // namespace accelerate::records
