// Vulkan's adapters. The structures are the beginnings of those in Vulkan's specification (version 1.0): the functions
// write more than is read here, into room that is large enough.
#include <array>
#include <cstdint>
#include <cstring>

#include "hardware/bytes_text.hpp"
#include "hardware/device_report.hpp"
#include "hardware/driver_library.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

using Result = std::int32_t;
constexpr Result kSuccess = 0, kIncomplete = 5, kOutOfHostMemory = -1, kOutOfDeviceMemory = -2, kIncompatible = -9;

using Instance = void*;
using Adapter = void*;

struct InstanceCreateInfo {
  std::uint32_t type = 1;  // VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO
  const void* next = nullptr;
  std::uint32_t flags = 0;
  const void* application = nullptr;
  std::uint32_t layers = 0;
  const char* const* layer_names = nullptr;
  std::uint32_t extensions = 0;
  const char* const* extension_names = nullptr;
};

struct AdapterProperties {
  std::uint32_t api_version, driver_version, vendor, device, type;
  char name[256];
  std::byte rest[4096];
};

struct MemoryProperties {
  std::uint32_t type_count;
  struct Type {
    std::uint32_t flags, heap;
  } types[32];
  std::uint32_t heap_count;
  struct Heap {
    std::uint64_t size;
    std::uint32_t flags;
  } heaps[16];
};

void check(Result result, const char* call, const DriverLibrary& library) {
  if (result == kSuccess || result == kIncomplete) return;
  const std::string message = std::string(call) + " answered " + std::to_string(result);
  ErrorKind kind = ErrorKind::device_failed;
  if (result == kOutOfHostMemory || result == kOutOfDeviceMemory) kind = ErrorKind::out_of_memory;
  if (result == kIncompatible) kind = ErrorKind::not_found;
  throw Error(kind, kind == ErrorKind::not_found ? message + ": no driver for an adapter is installed" : message,
              library.name());
}

std::string version_text(std::uint32_t version) {
  return std::to_string(version >> 22 & 0x7f) + "." + std::to_string(version >> 12 & 0x3ff) + "." +
         std::to_string(version & 0xfff);
}

std::string type_text(std::uint32_t type) {
  constexpr std::array<const char*, 5> kTypes = {"other", "integrated GPU", "discrete GPU", "virtual GPU", "software"};
  return type < kTypes.size() ? kTypes[type] : kTypes[0];
}

std::int64_t own_memory(const MemoryProperties& memory) {
  constexpr std::uint32_t kDeviceLocal = 1;
  std::uint64_t bytes = 0;
  for (std::uint32_t heap = 0; heap < std::min(memory.heap_count, 16U); ++heap) {
    if ((memory.heaps[heap].flags & kDeviceLocal) != 0) bytes += memory.heaps[heap].size;
  }
  return static_cast<std::int64_t>(bytes);
}

DeviceReport describe(const DriverLibrary& library, Adapter adapter, std::size_t number) {
  AdapterProperties properties{};
  MemoryProperties memory{};
  library.function<void(Adapter, AdapterProperties*)>("vkGetPhysicalDeviceProperties")(adapter, &properties);
  library.function<void(Adapter, MemoryProperties*)>("vkGetPhysicalDeviceMemoryProperties")(adapter, &memory);
  DeviceReport report;
  report.name = "vulkan:" + std::to_string(number);
  properties.name[sizeof properties.name - 1] = '\0';
  report.description = std::string(properties.name) + ", " + type_text(properties.type);
  report.facts = {{"Vulkan version", version_text(properties.api_version)}, {"memory", bytes_text(own_memory(memory))}};
  report.reason =
      "the driver describes it, but no graph ran: onnx:webgpu computes on it, where ONNX Runtime has that "
      "provider";
  return report;
}

}  // namespace

std::vector<DeviceReport> probe_vulkan() {
  const DriverLibrary library({"libvulkan.so.1", "libvulkan.so"},
                              "install Vulkan's loader (libvulkan1) and a driver (mesa-vulkan-drivers)");
  Instance instance = nullptr;
  const InstanceCreateInfo info;
  check(library.function<Result(const InstanceCreateInfo*, const void*, Instance*)>("vkCreateInstance")(&info, nullptr,
                                                                                                        &instance),
        "vkCreateInstance", library);
  std::array<Adapter, 16> adapters{};
  std::uint32_t count = adapters.size();
  check(library.function<Result(Instance, std::uint32_t*, Adapter*)>("vkEnumeratePhysicalDevices")(instance, &count,
                                                                                                   adapters.data()),
        "vkEnumeratePhysicalDevices", library);
  if (count == 0) {
    throw Error(ErrorKind::not_found, "Vulkan knows no adapter", library.name(),
                "install a driver (mesa-vulkan-drivers)");
  }
  std::vector<DeviceReport> reports;
  for (std::size_t i = 0; i < count; ++i) reports.push_back(describe(library, adapters[i], i));
  return reports;
}

}  // namespace accelerate::hardware
