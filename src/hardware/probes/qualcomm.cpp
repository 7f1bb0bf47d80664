// Qualcomm's QNN: which of its libraries are here, and of which version (the structures are those of QNN's interface,
// version 2).
#include <cstdint>

#include "hardware/device_report.hpp"
#include "hardware/driver_library.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

struct Version {
  std::uint32_t major, minor, patch;
};

struct Provider {
  std::uint32_t backend;
  const char* name;
  Version core, own;
};

std::string text_of(const Version& version) {
  return std::to_string(version.major) + "." + std::to_string(version.minor) + "." + std::to_string(version.patch);
}

}  // namespace

std::vector<DeviceReport> probe_qualcomm() {
  const DriverLibrary library({"libQnnHtp.so"},
                              "install Qualcomm's AI Engine Direct SDK and put its libraries where "
                              "the dynamic linker looks (LD_LIBRARY_PATH)");
  const Provider* const* providers = nullptr;
  std::uint32_t count = 0;
  const std::uint64_t status = library.function<std::uint64_t(const Provider* const**, std::uint32_t*)>(
      "QnnInterface_getProviders")(&providers, &count);
  if (status != 0 || count == 0 || providers == nullptr) {
    throw Error(ErrorKind::device_failed,
                "QnnInterface_getProviders answered " + std::to_string(status) + " with " + std::to_string(count) +
                    " providers",
                library.name());
  }
  constexpr std::uint32_t kKnown = 2;
  if (providers[0]->core.major != kKnown) {
    throw Error(ErrorKind::unsupported,
                "is of interface version " + text_of(providers[0]->core) + ", expected " + std::to_string(kKnown),
                library.name(), "install a QNN SDK of version 2");
  }
  DeviceReport report;
  report.name = "qnn:htp";
  report.description = "Qualcomm NPU (QNN)";
  if (providers[0]->name != nullptr) report.facts.push_back({"provider", providers[0]->name});
  report.facts.push_back({"interface version", text_of(providers[0]->core)});
  report.reason =
      "the library answers, but no graph ran: onnx:qnn computes on it, where ONNX Runtime has that provider";
  return {report};
}

}  // namespace accelerate::hardware
