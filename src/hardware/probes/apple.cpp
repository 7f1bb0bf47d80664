// Apple's GPU and Neural Engine behind Core ML.
#include <sys/utsname.h>

#include <string_view>

#include "hardware/device_report.hpp"
#include "hardware/driver_library.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {

std::vector<DeviceReport> probe_apple() {
  utsname names{};
  uname(&names);
  if (std::string_view(names.sysname) != "Darwin") {
    throw Error(ErrorKind::not_found, std::string("Core ML and Metal are on macOS only, this is ") + names.sysname);
  }
  const DriverLibrary library({"/System/Library/Frameworks/CoreML.framework/CoreML"}, "update macOS");
  DeviceReport report;
  report.name = "apple";
  report.description = "Apple GPU and Neural Engine (Core ML)";
  report.reason =
      "the framework is here, but no graph ran: onnx:coreml computes on it, where ONNX Runtime has that "
      "provider";
  return {report};
}

}  // namespace accelerate::hardware
