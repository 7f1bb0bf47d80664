// What the operating system says about the processor and the memory of this machine.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace accelerate::hardware {

struct Cache {
  int level = 0;
  std::string kind;        // "data", "instruction", "unified"
  std::int64_t bytes = 0;  // of one such cache
  int shared_by = 1;       // CPUs that share it
};

// Memory and the CPUs that reach it fastest.
struct NumaNode {
  int number = 0;
  std::string cpus;         // "0-15,32-47"
  std::int64_t memory = 0;  // bytes
};

struct CpuInfo {
  std::string name;        // as the processor calls itself
  int logical_cpus = 0;    // on the machine
  int physical_cores = 0;  // on the machine; as many as logical ones where the system does not say
  std::vector<std::string>
      features;                   // "avx2", "fma", "avx512f", "avx512_bf16", "avx512_vnni", "amx_int8", "asimd", ...
  std::vector<Cache> caches;      // of CPU 0, nearest first
  std::vector<NumaNode> nodes;    // by number; empty where the system does not say
  std::int64_t memory_total = 0;  // bytes of the machine
  std::int64_t memory_available = 0;  // bytes that can be had without swapping
  std::int64_t memory_limit = 0;      // smallest cgroup limit, 0 = none
};

// Bytes that this process may have, without reading anything that grows with the number of processors.
struct MemoryLimits {
  std::int64_t total = 0;      // of the machine
  std::int64_t available = 0;  // that can be had without swapping
  std::int64_t limit = 0;      // smallest cgroup limit, 0 = none
};
MemoryLimits read_memory_limits(const std::filesystem::path& root = "/");

// Reads <root>/proc and <root>/sys; `root` is "/" but in tests. What is missing there stays empty or 0.
CpuInfo read_cpu_info(const std::filesystem::path& root = "/");

}  // namespace accelerate::hardware
