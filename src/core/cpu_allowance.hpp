// How many processors this process may use.
#pragma once

#include <filesystem>

namespace accelerate {

constexpr int kMostThreads = 1024;  // that a pool is made of

// What the operating system lets this process use.
struct CpuAllowance {
  int affinity = 1;    // CPUs in the process's affinity mask
  double quota = 0.0;  // CPUs' worth of time by cgroup v1 or v2 (smallest on the way to the root); 0 = no limit
  int usable = 1;      // the smaller of the two, a fraction rounded up, at least 1
};
CpuAllowance cpu_allowance();

// CPUs' worth of time that the cgroups of this process allow, 0 = no limit. `root` is "/" but in tests: the files read
// are <root>/proc/self/cgroup and those under <root>/sys/fs/cgroup.
double cgroup_cpu_quota(const std::filesystem::path& root);

// The variable ACCELERATE_THREADS where it is set (Error{invalid_input} unless it is 1 to kMostThreads), else
// cpu_allowance().usable.
int default_thread_count();

}  // namespace accelerate
