// NVIDIA's and AMD's drivers: HIP's functions are CUDA's under other names, so that one probe asks both.
#include <cstdint>
#include <numeric>

#include "hardware/bytes_text.hpp"
#include "hardware/device_report.hpp"
#include "hardware/driver_library.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

using Status = int;
constexpr Status kOk = 0, kOutOfMemory = 2, kInsufficientDriver = 35, kNoDevice = 100, kDriverMismatch = 803;

struct Vendor {
  const char* kind;
  std::vector<std::string> libraries;
  const char* install;               // what to do when the library is not there
  int oldest, per_major, per_minor;  // driver versions are MAJOR * per_major + MINOR * per_minor
  const char* update;                // what to do when it is too old
  const char* provider;              // what computes on such a device
  const char *init, *driver_version, *device_count, *device_name, *total_memory, *allocate, *copy_in, *copy_out, *free;
  // Makes the device the one that this thread's calls go to.
  Status (*activate)(const DriverLibrary& library, int device);
};

Status activate_cuda(const DriverLibrary& library, int device) {
  void* context = nullptr;
  const Status retained = library.function<Status(void**, int)>("cuDevicePrimaryCtxRetain")(&context, device);
  return retained != kOk ? retained : library.function<Status(void*)>("cuCtxSetCurrent")(context);
}

Status activate_hip(const DriverLibrary& library, int device) {
  return library.function<Status(int)>("hipSetDevice")(device);
}

const Vendor kNvidia = {.kind = "cuda",
                        .libraries = {"libcuda.so.1", "libcuda.so"},
                        .install = "install NVIDIA's driver (in a container: start it with the GPU)",
                        .oldest = 12000,
                        .per_major = 1000,
                        .per_minor = 10,
                        .update = "update NVIDIA's driver to one for CUDA 12 or later",
                        .provider = "onnx:cuda",
                        .init = "cuInit",
                        .driver_version = "cuDriverGetVersion",
                        .device_count = "cuDeviceGetCount",
                        .device_name = "cuDeviceGetName",
                        .total_memory = "cuDeviceTotalMem_v2",
                        .allocate = "cuMemAlloc_v2",
                        .copy_in = "cuMemcpyHtoD_v2",
                        .copy_out = "cuMemcpyDtoH_v2",
                        .free = "cuMemFree_v2",
                        .activate = activate_cuda};

const Vendor kAmd = {.kind = "rocm",
                     .libraries = {"libamdhip64.so.7", "libamdhip64.so.6", "libamdhip64.so"},
                     .install = "install AMD's ROCm runtime (hip-runtime-amd)",
                     .oldest = 60000000,
                     .per_major = 10000000,
                     .per_minor = 100000,
                     .update = "update ROCm to version 6 or later",
                     .provider = "onnx:migraphx",
                     .init = "hipInit",
                     .driver_version = "hipDriverGetVersion",
                     .device_count = "hipGetDeviceCount",
                     .device_name = "hipDeviceGetName",
                     .total_memory = "hipDeviceTotalMem",
                     .allocate = "hipMalloc",
                     .copy_in = "hipMemcpyHtoD",
                     .copy_out = "hipMemcpyDtoH",
                     .free = "hipFree",
                     .activate = activate_hip};

class GpuDriver {
 public:
  explicit GpuDriver(const Vendor& vendor) : vendor_(vendor), library_(vendor.libraries, vendor.install) {
    check(library_.function<Status(unsigned)>(vendor.init)(0), vendor.init);
  }

  // Error{unsupported} for one that no current runtime works with.
  std::string version() const {
    int found = 0;
    check(library_.function<Status(int*)>(vendor_.driver_version)(&found), vendor_.driver_version);
    if (found < vendor_.oldest) {
      throw Error(
          ErrorKind::unsupported,
          "the driver is for version " + version_text(found) + ", expected at least " + version_text(vendor_.oldest),
          library_.name(), vendor_.update);
    }
    return version_text(found);
  }

  int count() const {
    int devices = 0;
    check(library_.function<Status(int*)>(vendor_.device_count)(&devices), vendor_.device_count);
    if (devices < 1) throw Error(ErrorKind::not_found, "the driver knows no device", library_.name());
    return devices;
  }

  std::string name(int device) const {
    std::vector<char> text(256);
    check(library_.function<Status(char*, int, int)>(vendor_.device_name)(text.data(), 255, device),
          vendor_.device_name);
    return text.data();
  }

  std::int64_t memory(int device) const {
    std::size_t bytes = 0;
    check(library_.function<Status(std::size_t*, int)>(vendor_.total_memory)(&bytes, device), vendor_.total_memory);
    return static_cast<std::int64_t>(bytes);
  }

  // Whether what is copied to the device and back is what it was.
  bool copies_hold(int device) const {
    check(vendor_.activate(library_, device), "making the device current");
    std::vector<std::uint32_t> sent(1 << 18), received(sent.size());
    std::iota(sent.begin(), sent.end(), 1U);
    const std::size_t bytes = sent.size() * sizeof(sent[0]);
    std::uintptr_t there = 0;
    check(library_.function<Status(std::uintptr_t*, std::size_t)>(vendor_.allocate)(&there, bytes), vendor_.allocate);
    check(
        library_.function<Status(std::uintptr_t, const void*, std::size_t)>(vendor_.copy_in)(there, sent.data(), bytes),
        vendor_.copy_in);
    check(
        library_.function<Status(void*, std::uintptr_t, std::size_t)>(vendor_.copy_out)(received.data(), there, bytes),
        vendor_.copy_out);
    check(library_.function<Status(std::uintptr_t)>(vendor_.free)(there), vendor_.free);
    return sent == received;
  }

 private:
  std::string version_text(int version) const {
    return std::to_string(version / vendor_.per_major) + "." +
           std::to_string(version % vendor_.per_major / vendor_.per_minor);
  }

  void check(Status status, const char* call) const {
    if (status == kOk) return;
    const std::string message = std::string(call) + " answered " + std::to_string(status);
    if (status == kNoDevice) throw Error(ErrorKind::not_found, message + ": no device", library_.name());
    if (status == kOutOfMemory) {
      throw Error(ErrorKind::out_of_memory, message + ": out of memory", library_.name(),
                  "see which programs hold the GPU's memory");
    }
    if (status == kInsufficientDriver || status == kDriverMismatch) {
      throw Error(ErrorKind::unsupported, message + ": driver and library do not fit", library_.name(), vendor_.update);
    }
    throw Error(ErrorKind::device_failed, message, library_.name(),
                "see the system's log (dmesg) for what the driver says");
  }

  const Vendor& vendor_;
  DriverLibrary library_;
};

DeviceReport probe_device(const Vendor& vendor, const GpuDriver& driver, const std::string& version, int device) {
  DeviceReport report;
  report.name = std::string(vendor.kind) + ":" + std::to_string(device);
  report.facts = {{"driver version", version}};
  try {
    report.description = driver.name(device);
    report.facts.push_back({"memory", bytes_text(driver.memory(device))});
    if (!driver.copies_hold(device)) {
      return failed(std::move(report), ProbeStage::wrong_result, "what was copied to the device came back changed",
                    "do not use this device; see the system's log (dmesg) for what the driver says");
    }
  } catch (const Error& error) {
    return failed(std::move(report), error);
  }
  report.reason = std::string("the driver answers and copies hold, but no graph ran: ") + vendor.provider +
                  " computes on it, where ONNX Runtime has that provider";
  return report;
}

std::vector<DeviceReport> probe(const Vendor& vendor) {
  const GpuDriver driver(vendor);
  const std::string version = driver.version();
  std::vector<DeviceReport> reports;
  const int count = driver.count();
  for (int device = 0; device < count; ++device) reports.push_back(probe_device(vendor, driver, version, device));
  return reports;
}

}  // namespace

std::vector<DeviceReport> probe_cuda() { return probe(kNvidia); }
std::vector<DeviceReport> probe_rocm() { return probe(kAmd); }

}  // namespace accelerate::hardware
