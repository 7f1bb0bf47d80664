// The kinds of devices that this build knows how to ask about. To be called in the probing program only.
//
// Each probe returns a row for every device of its kind, and one that says what is missing where there is none. What
// the kind of an Error means for a device is in device_report.hpp (stage_of). Rows of devices that no backend of this
// build computes on are untested at best: what is known of them is the driver's word.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accelerate/devices.hpp"

namespace accelerate::hardware {

// A kind of devices behind a driver library.
struct DriverProbe {
  std::string_view kind;         // "cuda": also the row's name where no device is found
  std::string_view description;  // of that row: "NVIDIA GPU (CUDA)"
  std::vector<DeviceReport> (*run)();
};

const std::vector<DriverProbe>& driver_probes();

std::vector<DeviceReport> probe_cuda();      // "cuda:0": libcuda, copies to the device and back
std::vector<DeviceReport> probe_rocm();      // "rocm:0": libamdhip64, copies to the device and back
std::vector<DeviceReport> probe_intel();     // "intel:gpu:0", "intel:npu:0": Level Zero's loader
std::vector<DeviceReport> probe_vulkan();    // "vulkan:0": libvulkan, the adapters that WebGPU runs on natively
std::vector<DeviceReport> probe_apple();     // "apple": Core ML and Metal, on macOS
std::vector<DeviceReport> probe_qualcomm();  // "qnn:htp": QNN's libraries
std::vector<DeviceReport> probe_browsers();  // "chromium:webgpu", "chromium:webnn": browsers on PATH

}  // namespace accelerate::hardware
