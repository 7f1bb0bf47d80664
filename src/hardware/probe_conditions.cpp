#include "hardware/probe_conditions.hpp"

#include <sched.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>
#include <iterator>

#include "accelerate/version.hpp"
#include "backends/backend.hpp"
#include "core/thread_pool.hpp"
#include "core/variables.hpp"
#include "hardware/cpu_info.hpp"
#include "hardware/helper.hpp"

namespace accelerate::hardware {
namespace {

namespace fs = std::filesystem;

// The beginning is enough: /proc/cpuinfo is long, and slow, on machines with many processors.
std::string beginning_of(const fs::path& path) {
  std::ifstream file(path);
  std::string text(1024, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  return text;
}

std::string value_of(const std::string& text, const std::string& key) {
  const std::size_t begin = text.find(key);
  if (begin == std::string::npos) return {};
  const std::size_t value = text.find_first_not_of(" \t:", begin + key.size());
  return value == std::string::npos ? "" : text.substr(value, text.find('\n', value) - value);
}

std::string identity_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "absent";
  return std::to_string(status.st_size) + " bytes, " + std::to_string(status.st_mtim.tv_sec) + "." +
         std::to_string(status.st_mtim.tv_nsec);
}

std::string names_in(const fs::path& folder, const std::vector<std::string>& beginnings) {
  std::vector<std::string> names;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(folder, none)) {
    const std::string name = entry.path().filename().string();
    const bool wanted = std::any_of(beginnings.begin(), beginnings.end(),
                                    [&](const std::string& beginning) { return name.starts_with(beginning); });
    if (wanted) names.push_back(name);
  }
  std::sort(names.begin(), names.end());
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : " ") + name;
  return text;
}

void add_machine(Json& conditions) {
  utsname names{};
  uname(&names);
  const std::string processor = beginning_of("/proc/cpuinfo");
  conditions.set("kernel", std::string(names.release) + " " + names.machine);
  conditions.set("machine", beginning_of("/etc/machine-id"));
  conditions.set("processor", value_of(processor, "model name"));
  const CpuAllowance allowance = cpu_allowance();
  const MemoryLimits memory = read_memory_limits();
  conditions.set("cpus", allowance.affinity).set("cpu quota", allowance.quota);
  conditions.set("memory", memory.total).set("memory limit", memory.limit);
}

// Drivers as the kernel has them.
void add_drivers(Json& conditions) {
  conditions.set("nvidia module", beginning_of("/proc/driver/nvidia/version"));
  conditions.set("amdgpu module", beginning_of("/sys/module/amdgpu/version"));
  conditions.set("device files", names_in("/dev", {"nvidia", "kfd"}) + " dri: " + names_in("/dev/dri", {"render"}) +
                                     " accel: " + names_in("/dev/accel", {"accel"}));
  // Changes whenever a package installs a library.
  conditions.set("linker cache", identity_of("/etc/ld.so.cache"));
}

// Where records and this cache lie changes nothing about devices.
bool decides(std::string_view variable) {
  if (variable.starts_with("ACCELERATE_")) {
    return !variable.starts_with("ACCELERATE_RECORDS=") && !variable.starts_with("ACCELERATE_CACHE=");
  }
  constexpr std::array<std::string_view, 12> kRead = {"LD_LIBRARY_PATH=",          "PATH=",
                                                      "CUDA_VISIBLE_DEVICES=",     "NVIDIA_VISIBLE_DEVICES=",
                                                      "HIP_VISIBLE_DEVICES=",      "ROCR_VISIBLE_DEVICES=",
                                                      "HSA_OVERRIDE_GFX_VERSION=", "ONEAPI_DEVICE_SELECTOR=",
                                                      "ZE_AFFINITY_MASK=",         "VK_ICD_FILENAMES=",
                                                      "VK_DRIVER_FILES=",          "OpenVINO_DIR="};
  return std::any_of(kRead.begin(), kRead.end(), [&](std::string_view name) { return variable.starts_with(name); });
}

void add_environment(Json& conditions) {
  std::vector<std::string> variables;
  for (char** each = environment_block(); *each != nullptr; ++each) {
    if (decides(*each)) variables.emplace_back(*each);
  }
  std::sort(variables.begin(), variables.end());
  Json list = Json::array();
  for (std::string& variable : variables) list.push(std::move(variable));
  conditions.set("environment", std::move(list));
}

std::string helper_identity() {
  try {
    const std::string path = find_helper().string();
    return path + ", " + identity_of(path);
  } catch (const Error&) {
    return "absent";
  }
}

void add_runtimes(Json& conditions) {
  std::vector<std::string> files;
  for (const auto& backend : backends()) {
    const std::vector<std::string> own = backend->files();
    files.insert(files.end(), own.begin(), own.end());
  }
  conditions.set("runtimes", file_identities(files));
}

}  // namespace

Json probe_conditions(int threads) {
  Json conditions;
  conditions.set("build", build_description()).set("helper", helper_identity()).set("threads", threads);
  add_machine(conditions);
  add_drivers(conditions);
  add_runtimes(conditions);
  add_environment(conditions);
  return conditions;
}

Json file_identities(const std::vector<std::string>& paths) {
  Json identities = Json::object();
  for (const std::string& path : paths) identities.set(path, identity_of(path));
  return identities;
}

}  // namespace accelerate::hardware
