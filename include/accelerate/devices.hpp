// What this machine can run on: every kind of device this build knows, each found out about by a probe.
//
//   for (const accelerate::DeviceReport& device : accelerate::devices()) {
//     std::printf("%s: %s\n", device.name.c_str(), std::string(name_of(device.state)).c_str());
//   }
//
// Probes run in a program of their own (docs/devices.md says how it is found), so that a driver that crashes or hangs
// costs a line here and not the caller. What they found is kept in the user's cache folder and used again as long as
// drivers, libraries, limits and this build stay what they were.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/export.hpp"
#include "accelerate/progress.hpp"

namespace accelerate {

enum class DeviceState : std::uint8_t {
  available,    // a small graph ran on it and gave the right numbers
  unavailable,  // it did not: `stage` and `reason` say why
  untested,     // it may be there, but nothing that proves its numbers has run on it
};

// Where a probe ended.
enum class ProbeStage : std::uint8_t {
  none,  // nowhere: it is no unavailable device
  library_absent,
  driver_too_old,  // driver or library: too old, or of another version than expected
  no_device,
  out_of_memory,
  wrong_result,
  crashed,
  timed_out,
  failed,  // the driver or runtime reported another error, or the probe's answer made no sense
};

// "available", "unavailable", "untested"
ACCELERATE_API std::string_view name_of(DeviceState state);
// "library absent", "driver too old", ...; empty for none.
ACCELERATE_API std::string_view name_of(ProbeStage stage);

// Something known about a device, already written out: {"cores", "2"}.
struct DeviceFact {
  std::string key, value;
  friend bool operator==(const DeviceFact&, const DeviceFact&) = default;
};

// Something measured on it: {"peak f32, one core", 117.2, "GFLOP/s"}.
struct DeviceMeasurement {
  std::string key;
  double value = 0;
  std::string unit;
  friend bool operator==(const DeviceMeasurement&, const DeviceMeasurement&) = default;
};

struct DeviceReport {
  std::string name;         // as --device takes it where `backend` is not empty: "cpu", "onnx:cuda:0"
  std::string backend;      // what computes on it: "cpu", "onnx"; empty: nothing of this build, it is only described
  std::string description;  // one line for people: "AMD EPYC, 2 cores, avx512"
  DeviceState state = DeviceState::untested;
  ProbeStage stage = ProbeStage::none;
  std::string reason;             // of what is not available: what was found and what was expected
  std::string advice;             // what to do about it; empty: nothing
  std::vector<DeviceFact> facts;  // in the order in which to show them
  std::vector<DeviceMeasurement> measured;
  friend bool operator==(const DeviceReport&, const DeviceReport&) = default;
};

struct DevicesOptions {
  bool refresh = false;       // probe anew, whatever is in the cache
  int threads = 0;            // of the processor's measurements; 0: as many as this process may use
  double limit_seconds = 20;  // for each probe
  Cancellation cancellation = {};
  // What a person should know besides the answer: a cache that cannot be written. Called from the caller's thread.
  std::function<void(const std::string&)> note = {};
};

// What is known of this machine's devices, and since when.
struct KnownDevices {
  std::vector<DeviceReport> reports;  // the processor first
  std::int64_t probed_ms = 0;         // milliseconds since 1970
  bool from_cache = false;
};

// Probes unless the cache holds what is asked for. Every kind has at least one row, also where nothing of it is here.
// Error{interrupted} once cancelled; all else that goes wrong is a row or a note.
ACCELERATE_API KnownDevices known_devices(const DevicesOptions& options = {});
ACCELERATE_API std::vector<DeviceReport> devices(const DevicesOptions& options = {});

}  // namespace accelerate
