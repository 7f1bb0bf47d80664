// What did not go together on this machine: a device, a driver, a model, this code. Kept so that it can be reported.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "accelerate/devices.hpp"
#include "accelerate/error.hpp"
#include "records/record.hpp"

namespace accelerate::records {

// The same error of the same machine and code is one row that counts how often and when it was met.
struct CompatibilityError {
  std::string hardware;   // the device: "cuda:0 (NVIDIA H100)", "onnx:cuda:0"
  std::string kind;       // of a probe: "driver too old", "wrong result"; of a load: "unsupported", "out_of_memory"
  std::string severity;   // "error": the device or model cannot be used; "warning": it can, differently
  std::string component;  // what was at work: "probe", "load"
  std::string model;      // the model's folder; empty: no model was involved
  std::string message, advice;
  // Filled in when it is recorded.
  std::int64_t first_ms = 0, last_ms = 0;  // milliseconds since 1970, UTC
  std::int64_t times = 0;
  Machine machine = {};
  Code code = {};
};

// A device that failed; none for one that is available, untested or simply not there (no library, no device).
std::optional<CompatibilityError> compatibility_error_of(const DeviceReport& device);

// A model that could not be compiled for a device; none where device and model are not what went wrong (a wrong
// argument, an interruption, a fault of ours).
std::optional<CompatibilityError> compatibility_error_of(const Error& error, std::string device, std::string model);

}  // namespace accelerate::records
