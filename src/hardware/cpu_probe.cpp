#include "hardware/cpu_probe.hpp"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <numeric>

#include "accelerate/error.hpp"
#include "backends/cpu/kernels.hpp"
#include "core/memory.hpp"
#include "core/text.hpp"
#include "core/thread_pool.hpp"
#include "hardware/bytes_text.hpp"
#include "hardware/cpu_info.hpp"
#include "hardware/device_report.hpp"
#include "hardware/small_graph.hpp"

namespace accelerate::hardware {
namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  return text;
}

void add_nodes(const CpuInfo& info, std::vector<DeviceFact>& facts) {
  facts.push_back({"numa nodes", std::to_string(std::max<std::size_t>(info.nodes.size(), 1))});
  if (info.nodes.size() < 2) return;
  for (const NumaNode& node : info.nodes) {
    facts.push_back({"numa node " + std::to_string(node.number), "cpus " + node.cpus + ", " + bytes_text(node.memory)});
  }
}

std::vector<DeviceFact> facts_of(const CpuInfo& info, cpu::Level level, int threads) {
  const CpuAllowance allowance = cpu_allowance();
  std::vector<DeviceFact> facts = {{"processor", info.name},
                                   {"cores", std::to_string(info.physical_cores)},
                                   {"logical cpus", std::to_string(info.logical_cpus)},
                                   {"allowed cpus", std::to_string(allowance.affinity)}};
  if (allowance.quota > 0) facts.push_back({"cgroup quota", number_text(allowance.quota) + " cpus"});
  facts.push_back({"threads", std::to_string(threads)});
  add_nodes(info, facts);
  facts.push_back({"vector level", std::string(cpu::name_of(level))});
  facts.push_back({"vector features", joined(info.features, " ")});
  for (const Cache& cache : info.caches) {
    if (cache.kind == "instruction") continue;
    std::string shared = cache.shared_by > 1 ? " shared by " + std::to_string(cache.shared_by) : "";
    facts.push_back({"cache level " + std::to_string(cache.level), bytes_text(cache.bytes) + shared});
  }
  facts.push_back({"memory", bytes_text(info.memory_total)});
  if (info.memory_limit > 0) facts.push_back({"cgroup memory limit", bytes_text(info.memory_limit)});
  return facts;
}

double peak_of_all(const cpu::Kernels& kernels, ThreadPool& pool, Precision precision, double milliseconds) {
  std::vector<double> each(static_cast<std::size_t>(pool.threads()));
  pool.parallel_for(pool.threads(), [&](std::int64_t task, int) {
    each[static_cast<std::size_t>(task)] = kernels.measure_peak_gflops(milliseconds, precision);
  });
  return std::accumulate(each.begin(), each.end(), 0.0);
}

// Three times the last cache, so that little of a pass is still there in the next; at most 256 MiB and an eighth of
// what is free.
std::size_t read_size(const CpuInfo& info) {
  std::int64_t last = 8 << 20;
  for (const Cache& cache : info.caches) last = std::max(last, cache.bytes);
  const std::int64_t room = info.memory_available > 0 ? info.memory_available / 8 : 256 << 20;
  return static_cast<std::size_t>(
      std::clamp<std::int64_t>(3 * last, 32 << 20, std::min<std::int64_t>(room, 256 << 20)));
}

double read_of_all(const cpu::Kernels& kernels, ThreadPool& pool, std::span<const std::byte> bytes,
                   double milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  const std::size_t slice = bytes.size() / static_cast<std::size_t>(pool.threads()) / 4096 * 4096;
  double best = 0;
  do {
    const auto start = Clock::now();
    pool.parallel_for(pool.threads(), [&](std::int64_t task, int) {
      kernels.measure_read_bytes_per_second(bytes.subspan(static_cast<std::size_t>(task) * slice, slice), 0);
    });
    const std::chrono::duration<double> took = Clock::now() - start;
    best = std::max(best, static_cast<double>(slice * static_cast<std::size_t>(pool.threads())) / took.count());
  } while (Clock::now() < until);
  return best;
}

// Pages that were never written are all the same page of zeros, which stays in the first cache.
void touch(ThreadPool& pool, std::span<std::byte> bytes) {
  constexpr std::size_t kPiece = 1 << 21;
  pool.parallel_for(static_cast<std::int64_t>((bytes.size() + kPiece - 1) / kPiece), [&](std::int64_t task, int) {
    const std::size_t begin = static_cast<std::size_t>(task) * kPiece;
    for (std::size_t i = begin; i < std::min(begin + kPiece, bytes.size()); i += 4096) bytes[i] = std::byte{1};
  });
}

std::vector<DeviceMeasurement> measure(const CpuInfo& info, const cpu::Kernels& kernels,
                                       const CpuProbeOptions& options) {
  ThreadPool pool(options.threads > 0 ? options.threads : default_thread_count());
  const double part = options.milliseconds / 9;  // eight measurements, and the time it takes to have the memory
  std::vector<DeviceMeasurement> measured;
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    const std::string peak = "peak " + std::string(name_of(precision));
    measured.push_back({peak + ", one core", kernels.measure_peak_gflops(part, precision), "GFLOP/s"});
    measured.push_back({peak + ", all threads", peak_of_all(kernels, pool, precision, part), "GFLOP/s"});
  }
  HostBuffer buffer(read_size(info));
  touch(pool, buffer.bytes());
  measured.push_back({"read, one thread", kernels.measure_read_bytes_per_second(buffer.bytes(), part) * 1e-9, "GB/s"});
  measured.push_back({"read, all threads", read_of_all(kernels, pool, buffer.bytes(), part) * 1e-9, "GB/s"});
  return measured;
}

}  // namespace

DeviceReport probe_cpu(const CpuProbeOptions& options) {
  DeviceReport report;
  report.name = report.backend = "cpu";
  try {
    const CpuInfo info = read_cpu_info();
    const cpu::Level level = cpu::current_level();
    report.description = info.name + ", " + std::to_string(info.physical_cores) +
                         (info.physical_cores == 1 ? " core, " : " cores, ") + std::string(cpu::name_of(level));
    report.facts = facts_of(info, level, options.threads > 0 ? options.threads : default_thread_count());
    if (options.measure) report.measured = measure(info, cpu::kernels(level), options);
    return judged(std::move(report), backend_named("cpu"), {});
  } catch (const Error& error) {
    return failed(std::move(report), ProbeStage::failed, error.what(), {});
  }
}

}  // namespace accelerate::hardware
