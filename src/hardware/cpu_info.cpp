#include "hardware/cpu_info.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <fstream>
#include <set>
#include <sstream>
#include <string_view>
#include <utility>

namespace accelerate::hardware {
namespace {

namespace fs = std::filesystem;

// What decides which kernels can run, in the order in which people read it.
constexpr std::array<std::string_view, 22> kFeatures = {
    "sse4_2",   "avx",      "avx2",        "fma",         "f16c",        "avx_vnni", "avx512f",  "avx512bw",
    "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8",
    "asimd",    "asimdhp",  "asimddp",     "bf16",        "i8mm",        "sve"};

std::string trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return std::string(text.substr(first, text.find_last_not_of(" \t\n") - first + 1));
}

std::string first_line(const fs::path& path) {
  std::ifstream file(path);
  std::string line;
  std::getline(file, line);
  return trimmed(line);
}

void read_features(const std::string& text, std::vector<std::string>& features) {
  std::istringstream words(text);
  std::set<std::string, std::less<>> present;
  for (std::string word; words >> word;) present.insert(word);
  for (const std::string_view feature : kFeatures) {
    if (present.count(feature) != 0) features.emplace_back(feature);
  }
}

void read_processors(const fs::path& root, CpuInfo& info) {
  std::ifstream file(root / "proc/cpuinfo");
  std::set<std::pair<std::string, std::string>> cores;
  std::string socket;
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    const std::string key = trimmed(std::string_view(line).substr(0, colon));
    const std::string value = trimmed(std::string_view(line).substr(colon + 1));
    if (key == "processor") ++info.logical_cpus;
    if (key == "model name" && info.name.empty()) info.name = value;
    if (key == "physical id") socket = value;
    if (key == "core id") cores.emplace(socket, value);
    if ((key == "flags" || key == "Features") && info.features.empty()) read_features(value, info.features);
  }
  info.physical_cores = cores.empty() ? info.logical_cpus : static_cast<int>(cores.size());
}

// "32K", "1024K", "32M"
std::int64_t bytes_of(const std::string& size) {
  std::istringstream text(size);
  std::int64_t number = 0;
  char unit = 0;
  text >> number >> unit;
  return unit == 'K' ? number << 10 : unit == 'M' ? number << 20 : unit == 'G' ? number << 30 : number;
}

// "0-3,8" -> 5
int count_of(const std::string& list) {
  std::istringstream ranges(list);
  int count = 0;
  for (std::string range; std::getline(ranges, range, ',');) {
    int first = 0, last = 0;
    char dash = 0;
    std::istringstream text(range);
    text >> first;
    count += text >> dash >> last ? last - first + 1 : 1;
  }
  return std::max(count, 1);
}

void read_caches(const fs::path& root, CpuInfo& info) {
  for (int index = 0; index < 16; ++index) {
    const fs::path folder = root / "sys/devices/system/cpu/cpu0/cache" / ("index" + std::to_string(index));
    const std::string level = first_line(folder / "level");
    if (level.empty()) break;
    std::string kind = first_line(folder / "type");
    std::transform(kind.begin(), kind.end(), kind.begin(), [](char c) { return c >= 'A' && c <= 'Z' ? c + 32 : c; });
    info.caches.push_back({level.front() - '0', kind, bytes_of(first_line(folder / "size")),
                           count_of(first_line(folder / "shared_cpu_list"))});
  }
}

// "Node 0 MemTotal:  1000 kB"
std::int64_t node_memory(const fs::path& folder) {
  std::ifstream file(folder / "meminfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t key = line.find("MemTotal:");
    if (key != std::string::npos) return std::strtoll(line.c_str() + key + 9, nullptr, 10) * 1024;
  }
  return 0;
}

void read_nodes(const fs::path& root, CpuInfo& info) {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(root / "sys/devices/system/node", none)) {
    const std::string name = entry.path().filename().string();
    int number = 0;
    const char* end = name.data() + name.size();
    if (!name.starts_with("node") || std::from_chars(name.data() + 4, end, number).ptr != end) continue;
    info.nodes.push_back({number, first_line(entry.path() / "cpulist"), node_memory(entry.path())});
  }
  std::sort(info.nodes.begin(), info.nodes.end(),
            [](const NumaNode& a, const NumaNode& b) { return a.number < b.number; });
}

void read_memory(const fs::path& root, MemoryLimits& memory) {
  std::ifstream file(root / "proc/meminfo");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t kilobytes = 0;
    words >> key >> kilobytes;
    if (key == "MemTotal:") memory.total = kilobytes * 1024;
    if (key == "MemAvailable:") memory.available = kilobytes * 1024;
  }
}

// The smallest number in `name` from <mount><path> up to <mount>; "max" and version 1's huge default are no limit.
std::int64_t smallest_limit(const fs::path& mount, fs::path path, const char* name) {
  std::int64_t smallest = 0;
  for (;; path = path.parent_path()) {
    std::ifstream file(mount / path.relative_path() / name);
    std::int64_t limit = 0;
    if (file >> limit && limit > 0 && limit < (std::int64_t{1} << 60) && (smallest == 0 || limit < smallest)) {
      smallest = limit;
    }
    if (!path.has_relative_path()) return smallest;
  }
}

void read_memory_limit(const fs::path& root, MemoryLimits& memory) {
  std::ifstream file(root / "proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::size_t path = line.find(":/");
    if (path == std::string::npos) continue;
    std::int64_t limit = 0;
    if (line.find(":memory:") != std::string::npos) {
      limit = smallest_limit(root / "sys/fs/cgroup/memory", line.substr(path + 1), "memory.limit_in_bytes");
    } else if (line.rfind("0::", 0) == 0) {
      limit = smallest_limit(root / "sys/fs/cgroup", line.substr(path + 1), "memory.max");
    }
    if (limit > 0 && (memory.limit == 0 || limit < memory.limit)) memory.limit = limit;
  }
}

}  // namespace

MemoryLimits read_memory_limits(const fs::path& root) {
  MemoryLimits memory;
  read_memory(root, memory);
  read_memory_limit(root, memory);
  return memory;
}

CpuInfo read_cpu_info(const fs::path& root) {
  CpuInfo info;
  read_processors(root, info);
  read_caches(root, info);
  read_nodes(root, info);
  const MemoryLimits memory = read_memory_limits(root);
  info.memory_total = memory.total;
  info.memory_available = memory.available;
  info.memory_limit = memory.limit;
  return info;
}

}  // namespace accelerate::hardware
