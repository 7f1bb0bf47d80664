// Intel's GPUs and NPUs, as Level Zero's loader lists them (the structure is ze_device_properties_t of its
// specification, version 1.0).
#include <array>
#include <cstdint>

#include "hardware/bytes_text.hpp"
#include "hardware/device_report.hpp"
#include "hardware/driver_library.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

using Result = std::uint32_t;
constexpr Result kSuccess = 0, kOutOfHostMemory = 0x70000002, kOutOfDeviceMemory = 0x70000003,
                 kUninitialized = 0x78000001, kUnsupportedVersion = 0x78000002;
constexpr std::uint32_t kGpu = 1, kNpu = 5;

using Handle = void*;

struct Properties {
  std::uint32_t structure = 3;  // ZE_STRUCTURE_TYPE_DEVICE_PROPERTIES
  void* next = nullptr;
  std::uint32_t type = 0, vendor = 0, device = 0, flags = 0, subdevice = 0, clock = 0;
  std::uint64_t largest_allocation = 0;
  std::uint32_t contexts = 0, priorities = 0, threads_per_unit = 0, simd_width = 0, units_per_subslice = 0,
                subslices_per_slice = 0, slices = 0;
  std::uint64_t timer_resolution = 0;
  std::uint32_t timestamp_bits = 0, kernel_timestamp_bits = 0;
  std::array<std::uint8_t, 16> uuid{};
  std::array<char, 256> name{};
};

class LevelZero {
 public:
  LevelZero()
      : library_(
            {"libze_loader.so.1", "libze_loader.so"},
            "install Level Zero's loader (libze1) and Intel's driver (libze-intel-gpu1, intel-driver-compiler-npu)") {
    check(library_.function<Result(std::uint32_t)>("zeInit")(0), "zeInit");
  }

  std::vector<Properties> devices() const {
    std::array<Handle, 8> drivers{};
    std::uint32_t count = drivers.size();
    check(library_.function<Result(std::uint32_t*, Handle*)>("zeDriverGet")(&count, drivers.data()), "zeDriverGet");
    std::vector<Properties> found;
    for (std::uint32_t driver = 0; driver < count; ++driver) add_devices(drivers[driver], found);
    if (found.empty()) throw Error(ErrorKind::not_found, "Level Zero knows no device", library_.name());
    return found;
  }

 private:
  void add_devices(Handle driver, std::vector<Properties>& found) const {
    std::array<Handle, 16> devices{};
    std::uint32_t count = devices.size();
    check(library_.function<Result(Handle, std::uint32_t*, Handle*)>("zeDeviceGet")(driver, &count, devices.data()),
          "zeDeviceGet");
    for (std::uint32_t device = 0; device < count; ++device) {
      check(library_.function<Result(Handle, Properties*)>("zeDeviceGetProperties")(devices[device],
                                                                                    &found.emplace_back()),
            "zeDeviceGetProperties");
    }
  }

  void check(Result result, const char* call) const {
    if (result == kSuccess) return;
    const std::string message = std::string(call) + " answered " + std::to_string(result);
    if (result == kUninitialized)
      throw Error(ErrorKind::not_found, message + ": no driver found a device", library_.name());
    if (result == kOutOfHostMemory || result == kOutOfDeviceMemory) {
      throw Error(ErrorKind::out_of_memory, message + ": out of memory", library_.name());
    }
    if (result == kUnsupportedVersion) {
      throw Error(ErrorKind::unsupported, message + ": the driver is of another version than the loader",
                  library_.name(), "update Intel's driver");
    }
    throw Error(ErrorKind::device_failed, message, library_.name(),
                "see the system's log (dmesg) for what the driver says");
  }

  DriverLibrary library_;
};

}  // namespace

std::vector<DeviceReport> probe_intel() {
  std::vector<DeviceReport> reports;
  int gpus = 0, npus = 0;
  for (const Properties& device : LevelZero().devices()) {
    if (device.type != kGpu && device.type != kNpu) continue;
    const bool gpu = device.type == kGpu;
    DeviceReport& report = reports.emplace_back();
    report.name = gpu ? "intel:gpu:" + std::to_string(gpus++) : "intel:npu:" + std::to_string(npus++);
    report.description = device.name.data();
    report.facts = {{"largest allocation", bytes_text(static_cast<std::int64_t>(device.largest_allocation))}};
    report.reason = std::string("the driver describes it, but no graph ran: openvino:") + (gpu ? "gpu" : "npu") +
                    " computes on it, where OpenVINO is installed";
  }
  return reports;
}

}  // namespace accelerate::hardware
