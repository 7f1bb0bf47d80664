#include "report/doctor.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "accelerate/version.hpp"
#include "backends/cpu/kernels.hpp"
#include "core/process.hpp"
#include "core/thread_pool.hpp"
#include "core/variables.hpp"
#include "hardware/bytes_text.hpp"
#include "hardware/cpu_info.hpp"
#include "hardware/device_cache.hpp"
#include "hardware/helper.hpp"
#include "records/records.hpp"

namespace accelerate::report {
namespace {

namespace fs = std::filesystem;
using hardware::bytes_text;

constexpr std::int64_t kLittleSpace = std::int64_t{64} << 20, kLittleMemory = std::int64_t{512} << 20;

std::string text_of(const Error& error) {
  return error.where().empty() ? error.message() : error.where() + ": " + error.message();
}

// The folder itself, or the nearest one above it that is there.
fs::path nearest_folder(fs::path folder) {
  std::error_code ignored;
  folder = fs::absolute(folder, ignored);
  while (!fs::exists(folder, ignored) && folder.has_relative_path()) folder = folder.parent_path();
  return folder;
}

Finding examine_helper() {
  const std::string area = "probing program";
  try {
    const fs::path program = hardware::find_helper();
    const ProcessResult answer = run_process(program, {.arguments = {"--version"}});
    const std::string expected = std::string(hardware::kHelperName) + " " + std::string(build_description()) + "\n";
    if (answer.out == expected) return {area, Health::well, program.string(), {}};
    return {area, Health::mend, program.string() + " is of another build than this program",
            "install ipfs-accelerate whole; ACCELERATE_PROBE, where it is set, names another one"};
  } catch (const Error& error) {
    return {area, Health::mend, text_of(error), error.hint()};
  }
}

Finding examine_threads() {
  const CpuAllowance allowance = cpu_allowance();
  const std::string usable = std::to_string(allowance.usable) + (allowance.usable == 1 ? " CPU" : " CPUs");
  try {
    const int threads = default_thread_count();
    const std::string message = std::to_string(threads) + " by default, this process may use " + usable;
    if (threads > allowance.usable) {
      return {"threads", Health::mend, message, "ACCELERATE_THREADS asks for more than affinity and cgroup allow"};
    }
    return {"threads", Health::well, message, {}};
  } catch (const Error& error) {
    return {"threads", Health::mend, text_of(error), error.hint()};
  }
}

Finding examine_memory() {
  const hardware::MemoryLimits memory = hardware::read_memory_limits();
  std::string message = bytes_text(memory.available) + " of " + bytes_text(memory.total) + " can be had";
  if (memory.limit > 0) message += ", the cgroup allows " + bytes_text(memory.limit);
  const std::int64_t room = memory.limit > 0 ? std::min(memory.limit, memory.available) : memory.available;
  if (room >= kLittleMemory || memory.available == 0) return {"memory", Health::well, message, {}};
  return {"memory", Health::note, message, "only small models fit: `inspect` predicts what one needs"};
}

Finding examine_level() {
  try {
    const std::string level(cpu::name_of(cpu::current_level()));
    if (environment_variable("ACCELERATE_CPU_LEVEL").empty()) return {"vector level", Health::well, level, {}};
    return {"vector level", Health::note, level + ", because ACCELERATE_CPU_LEVEL says so",
            "unset it to use what the processor has"};
  } catch (const Error& error) {
    return {"vector level", Health::mend, text_of(error), "unset ACCELERATE_CPU_LEVEL, or name a level that is there"};
  }
}

Finding examine_huge_pages() {
  std::ifstream file("/sys/kernel/mm/transparent_hugepage/enabled");
  const std::string choices(std::istreambuf_iterator<char>(file), {});
  if (choices.find("[never]") == std::string::npos) {
    return {
        "huge pages", Health::well, choices.empty() ? "not told by this system" : "given where they are asked for", {}};
  }
  return {"huge pages", Health::note, "never given: large weights are read a little slower",
          "as root: echo madvise > /sys/kernel/mm/transparent_hugepage/enabled"};
}

Finding examine_device(const DeviceReport& device) {
  const std::string area = "device " + device.name;
  if (device.state == DeviceState::available) return {area, Health::well, "available: " + device.description, {}};
  if (device.state == DeviceState::untested) {
    return {area, Health::note, "untested: " + device.description + ": " + device.reason, device.advice};
  }
  const bool absent = device.stage == ProbeStage::library_absent || device.stage == ProbeStage::no_device;
  const bool optional = absent && device.name != "cpu";
  return {area, optional ? Health::note : Health::mend, std::string(name_of(device.stage)) + ": " + device.reason,
          device.advice};
}

void add(std::vector<Finding>& all, std::vector<Finding> more) {
  std::move(more.begin(), more.end(), std::back_inserter(all));
}

}  // namespace

std::string_view name_of(Health health) {
  constexpr std::array<std::string_view, 3> kNames = {"well", "note", "mend"};
  return kNames.at(static_cast<std::size_t>(health));
}

std::vector<Finding> examine_folder(const std::string& area, const fs::path& folder) {
  const fs::path nearest = nearest_folder(folder);
  if (::access(nearest.c_str(), W_OK | X_OK) != 0 || !fs::is_directory(nearest)) {
    return {{area, Health::mend, nearest.string() + " cannot be written",
             "make it writable, or name another folder (ACCELERATE_RECORDS, ACCELERATE_CACHE)"}};
  }
  std::error_code unknown;
  const fs::space_info space = fs::space(nearest, unknown);
  const auto free = static_cast<std::int64_t>(space.available);
  if (!unknown && free < kLittleSpace) {
    return {{area, Health::mend, "only " + bytes_text(free) + " are free in " + nearest.string(), "make room there"}};
  }
  return {{area, Health::well, folder.string(), {}}};
}

std::vector<Finding> examine_records(const fs::path& file) {
  const std::string area = "records";
  if (file.empty()) return {{area, Health::note, "none are kept", "unset ACCELERATE_RECORDS to keep them"}};
  try {
    const records::Records opened(file, records::Access::read);
    opened.list({.limit = 1});
  } catch (const Error& error) {
    const bool damaged = error.kind() == ErrorKind::corrupted;
    return {{area, Health::mend, text_of(error),
             damaged ? "the next record moves it aside and begins a new one" : error.hint()}};
  }
  std::error_code ignored;
  if (fs::exists(file, ignored) && ::access(file.c_str(), W_OK) != 0) {
    return {{area, Health::mend, file.string() + " cannot be written", "make it writable, or set ACCELERATE_RECORDS"}};
  }
  return examine_folder(area, file.parent_path());
}

std::vector<Finding> examine_devices(std::span<const DeviceReport> devices) {
  std::vector<Finding> findings;
  for (const DeviceReport& device : devices) findings.push_back(examine_device(device));
  return findings;
}

std::vector<Finding> examine(std::span<const DeviceReport> devices) {
  std::vector<Finding> findings = {{"program", Health::well, std::string(build_description()), {}}, examine_helper()};
  add(findings, examine_records(records::default_path()));
  const fs::path cache = hardware::cache_folder();
  add(findings, cache.empty()
                    ? std::vector<Finding>{{"cache", Health::note, "none is kept: every `devices` probes anew",
                                            "unset ACCELERATE_CACHE to keep one"}}
                    : examine_folder("cache", cache));
  add(findings, {examine_threads(), examine_memory(), examine_level(), examine_huge_pages()});
  add(findings, examine_devices(devices));
  return findings;
}

bool all_well(std::span<const Finding> findings) {
  return std::none_of(findings.begin(), findings.end(),
                      [](const Finding& finding) { return finding.health == Health::mend; });
}

Json to_json(std::span<const Finding> findings) {
  Json list = Json::array();
  for (const Finding& finding : findings) {
    Json one;
    one.set("area", finding.area).set("health", name_of(finding.health)).set("message", finding.message);
    if (!finding.advice.empty()) one.set("advice", finding.advice);
    list.push(std::move(one));
  }
  Json json;
  return json.set("healthy", all_well(findings)).set("findings", std::move(list));
}

}  // namespace accelerate::report
