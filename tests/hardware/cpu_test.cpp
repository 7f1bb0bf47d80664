#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "backends/cpu/kernels.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/thread_pool.hpp"
#include "hardware/cpu_info.hpp"
#include "hardware/cpu_probe.hpp"

namespace accelerate::hardware {
namespace {

// A made-up /proc and /sys.
class CpuInfoTest : public ::testing::Test {
 protected:
  void write(const std::string& path, const std::string& text) const { folder_.write(path, text); }
  const TemporaryFolder folder_;
  const std::filesystem::path& root_ = folder_.path();
};

TEST_F(CpuInfoTest, TwoSocketsWithTwoThreadsACore) {
  std::string text;
  for (int cpu = 0; cpu < 8; ++cpu) {
    text += "processor\t: " + std::to_string(cpu) +
            "\nmodel name\t: Fast One\nphysical id\t: " + std::to_string(cpu / 4) +
            "\ncore id\t\t: " + std::to_string(cpu % 2) + "\nflags\t\t: fpu avx512f avx2 fma avx512_bf16x\n\n";
  }
  write("proc/cpuinfo", text);
  const CpuInfo info = read_cpu_info(root_);
  EXPECT_EQ(info.name, "Fast One");
  EXPECT_EQ(info.logical_cpus, 8);
  EXPECT_EQ(info.physical_cores, 4);
  EXPECT_EQ(info.features, (std::vector<std::string>{"avx2", "fma", "avx512f"}));
}

TEST_F(CpuInfoTest, AarchNamesItsFeaturesDifferently) {
  write("proc/cpuinfo",
        "processor\t: 0\nFeatures\t: fp asimd asimddp bf16 i8mm\n\nprocessor\t: 1\nFeatures\t: fp asimd\n");
  const CpuInfo info = read_cpu_info(root_);
  EXPECT_EQ(info.physical_cores, 2);
  EXPECT_EQ(info.features, (std::vector<std::string>{"asimd", "asimddp", "bf16", "i8mm"}));
}

TEST_F(CpuInfoTest, Caches) {
  const std::string folder = "sys/devices/system/cpu/cpu0/cache/";
  write(folder + "index0/level", "1\n");
  write(folder + "index0/type", "Data\n");
  write(folder + "index0/size", "32K\n");
  write(folder + "index0/shared_cpu_list", "0\n");
  write(folder + "index1/level", "3\n");
  write(folder + "index1/type", "Unified\n");
  write(folder + "index1/size", "32M\n");
  write(folder + "index1/shared_cpu_list", "0-3,8\n");
  const CpuInfo info = read_cpu_info(root_);
  ASSERT_EQ(info.caches.size(), 2U);
  EXPECT_EQ(info.caches[0].kind, "data");
  EXPECT_EQ(info.caches[0].bytes, 32 << 10);
  EXPECT_EQ(info.caches[0].shared_by, 1);
  EXPECT_EQ(info.caches[1].level, 3);
  EXPECT_EQ(info.caches[1].bytes, 32 << 20);
  EXPECT_EQ(info.caches[1].shared_by, 5);
}

TEST_F(CpuInfoTest, MemoryAndItsLimit) {
  write("proc/meminfo", "MemTotal:       1000 kB\nMemFree:  5 kB\nMemAvailable:    600 kB\n");
  EXPECT_EQ(read_cpu_info(root_).memory_total, 1000 * 1024);
  EXPECT_EQ(read_cpu_info(root_).memory_available, 600 * 1024);
  EXPECT_EQ(read_cpu_info(root_).memory_limit, 0);
  write("proc/self/cgroup", "0::/a/b\n");
  write("sys/fs/cgroup/a/b/memory.max", "max\n");
  write("sys/fs/cgroup/a/memory.max", "5000000\n");
  EXPECT_EQ(read_cpu_info(root_).memory_limit, 5000000);
  write("proc/self/cgroup", "4:memory:/box\n0::/\n");
  write("sys/fs/cgroup/memory/box/memory.limit_in_bytes", "7000000\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  EXPECT_EQ(read_cpu_info(root_).memory_limit, 7000000);
}

TEST_F(CpuInfoTest, NodesWithTheirOwnMemory) {
  const std::string folder = "sys/devices/system/node/";
  write(folder + "node1/cpulist", "4-7\n");
  write(folder + "node1/meminfo", "Node 1 MemTotal:       2000 kB\nNode 1 MemFree: 5 kB\n");
  write(folder + "node0/cpulist", "0-3\n");
  write(folder + "node0/meminfo", "Node 0 MemTotal:       1000 kB\n");
  write(folder + "possible", "0-1\n");
  const CpuInfo info = read_cpu_info(root_);
  ASSERT_EQ(info.nodes.size(), 2U);
  EXPECT_EQ(info.nodes[0].cpus, "0-3");
  EXPECT_EQ(info.nodes[1].number, 1);
  EXPECT_EQ(info.nodes[1].memory, 2000 * 1024);
}

TEST_F(CpuInfoTest, NothingThereIsNoError) {
  const CpuInfo info = read_cpu_info(root_);
  EXPECT_EQ(info.logical_cpus, 0);
  EXPECT_TRUE(info.caches.empty());
}

std::string fact(const DeviceReport& report, const std::string& key) {
  const auto found =
      std::find_if(report.facts.begin(), report.facts.end(), [&](const DeviceFact& f) { return f.key == key; });
  return found == report.facts.end() ? "absent" : found->value;
}

TEST(CpuProbe, TheProcessorIsMeasured) {
  const auto start = std::chrono::steady_clock::now();
  const DeviceReport report = probe_cpu();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  EXPECT_EQ(report.name, "cpu");
  EXPECT_EQ(report.state, DeviceState::available) << report.reason;
  EXPECT_EQ(fact(report, "vector level"), cpu::name_of(cpu::current_level()));
  EXPECT_EQ(fact(report, "threads"), std::to_string(default_thread_count()));
  ASSERT_EQ(report.measured.size(), 8U);
  for (const DeviceMeasurement& m : report.measured) EXPECT_GT(m.value, 0.05) << m.key;
  // Far above the 0.3 s it takes on a quiet machine: a hang must fail, a busy neighbour must not.
  EXPECT_LT(took.count(), 20);
}

TEST(CpuProbe, FactsAloneTakeNoMeasuring) {
  const DeviceReport report = probe_cpu({.measure = false});
  EXPECT_EQ(report.state, DeviceState::available);
  EXPECT_TRUE(report.measured.empty());
  EXPECT_NE(fact(report, "memory"), "absent");
}

TEST(CpuProbe, AForcedLevelThatTheMachineLacksIsReportedNotThrown) {
  setenv("ACCELERATE_CPU_LEVEL", "no such level", 1);
  const DeviceReport report = probe_cpu({.measure = false});
  unsetenv("ACCELERATE_CPU_LEVEL");
  EXPECT_EQ(report.state, DeviceState::unavailable);
  EXPECT_EQ(report.stage, ProbeStage::failed);
  EXPECT_NE(report.reason.find("ACCELERATE_CPU_LEVEL"), std::string::npos) << report.reason;
}

}  // namespace
}  // namespace accelerate::hardware
