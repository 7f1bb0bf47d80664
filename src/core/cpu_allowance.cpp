#include "core/cpu_allowance.hpp"

#include <sched.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include "accelerate/error.hpp"

namespace accelerate {
namespace {

double quota_of_v2(const std::filesystem::path& folder) {
  std::ifstream file(folder / "cpu.max");
  std::string quota;
  double period = 0;
  if (!(file >> quota >> period) || quota == "max" || period <= 0) return 0;
  return std::strtod(quota.c_str(), nullptr) / period;
}

double quota_of_v1(const std::filesystem::path& folder) {
  std::ifstream quota_file(folder / "cpu.cfs_quota_us"), period_file(folder / "cpu.cfs_period_us");
  double quota = 0, period = 0;
  if (!(quota_file >> quota) || !(period_file >> period) || quota <= 0 || period <= 0) return 0;
  return quota / period;
}

// The smallest limit from `path` up to the mount; inside a container the path may not exist below it, the mount does.
double smallest_quota(const std::filesystem::path& mount, std::filesystem::path path,
                      double (*quota_of)(const std::filesystem::path&)) {
  double smallest = 0;
  for (;; path = path.parent_path()) {
    const double quota = quota_of(mount / path.relative_path());
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
    if (!path.has_relative_path()) return smallest;
  }
}

}  // namespace

double cgroup_cpu_quota(const std::filesystem::path& root) {
  std::ifstream membership(root / "proc/self/cgroup");
  const std::filesystem::path mount = root / "sys/fs/cgroup";
  double smallest = 0;
  for (std::string line; std::getline(membership, line);) {
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos || second + 1 >= line.size() || line[second + 1] != '/') continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const std::string path = line.substr(second + 1);
    double quota = 0;
    if (controllers == ",,") quota = smallest_quota(mount, path, quota_of_v2);
    if (controllers.find(",cpu,") != std::string::npos) {
      quota = smallest_quota(mount / "cpu", path, quota_of_v1);
      if (quota == 0) quota = smallest_quota(mount / controllers.substr(1, controllers.size() - 2), path, quota_of_v1);
    }
    if (quota > 0 && (smallest == 0 || quota < smallest)) smallest = quota;
  }
  return smallest;
}

CpuAllowance cpu_allowance() {
  CpuAllowance allowance;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) == 0) {
    allowance.affinity = std::max(1, CPU_COUNT(&set));
  } else {
    allowance.affinity = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  allowance.quota = cgroup_cpu_quota("/");
  allowance.usable = allowance.affinity;
  if (allowance.quota > 0) {
    const double whole = std::max(1.0, std::ceil(allowance.quota - 0.01));
    allowance.usable = static_cast<int>(std::min<double>(allowance.affinity, whole));
  }
  return allowance;
}

int default_thread_count() {
  const char* text = std::getenv("ACCELERATE_THREADS");
  if (text == nullptr || *text == '\0') return cpu_allowance().usable;
  char* end = nullptr;
  const long count = std::strtol(text, &end, 10);
  if (*end != '\0' || count < 1 || count > kMostThreads) {
    throw Error(ErrorKind::invalid_input, "found \"" + std::string(text) + "\", expected a number from 1 to 1024",
                "ACCELERATE_THREADS");
  }
  return static_cast<int>(count);
}

}  // namespace accelerate
