// What the probing program does: one probe, its answer on standard output as one line of JSON.
//
//   ipfs-accelerate-probe cpu [THREADS]          the processor, measured
//   ipfs-accelerate-probe driver KIND            the devices behind a driver library: cuda, rocm, intel, vulkan ...
//   ipfs-accelerate-probe devices BACKEND        the devices that a backend lists; nothing is run on them
//   ipfs-accelerate-probe device BACKEND NAME    one of them, by running a small graph on it
//   ipfs-accelerate-probe --version
//
// The answer is {"reports": [...], "libraries": [...]}: rows (device_report.hpp) and the libraries that were loaded for
// them. What drivers print goes to standard error.
#pragma once

#include <string>
#include <vector>

#include "accelerate/devices.hpp"
#include "core/json.hpp"

namespace accelerate::hardware {

struct ProbeAnswer {
  std::vector<DeviceReport> reports;
  std::vector<std::string> libraries;  // paths
};

Json to_json(const ProbeAnswer& answer);
// Error{corrupted}.
ProbeAnswer answer_from(const std::string& text);

// The program itself; returns its exit code, 2 for wrong usage.
int run_probe_program(int argc, const char* const* argv);

}  // namespace accelerate::hardware
