// What this machine can run on, found by running something on each device, never guessed.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace accelerate::hardware {

enum class DeviceState { available, unavailable };

// "available", "unavailable"
std::string_view name_of(DeviceState state);

// Something known about a device, already written out: {"cores", "2"}.
struct Fact {
  std::string key, value;
};

// Something measured on it: {"peak f32, one core", 117.2, "GFLOP/s"}.
struct Measurement {
  std::string key;
  double value = 0;
  std::string unit;
};

struct DeviceReport {
  std::string name;         // "cpu", later "onnx:cuda:0", ...
  std::string backend;      // "cpu", "onnx", ...
  std::string description;  // one line for people: "AMD EPYC, 2 cores, avx512"
  DeviceState state = DeviceState::available;
  std::string stage, reason;  // of an unavailable one: where it failed ("load", "compute", ...) and what was said
  std::vector<Fact> facts;    // in the order in which to show them
  std::vector<Measurement> measured;
};

struct ProbeOptions {
  bool measure = true;          // false: facts only
  int threads = 0;              // of the measurements; 0 = default_thread_count()
  double milliseconds = 200.0;  // for all the measurements of one device
};

// Every device of this build, the processor first. A device that fails is reported as unavailable, not thrown.
std::vector<DeviceReport> probe_devices(const ProbeOptions& options = {});

// The processor: facts of read_cpu_info, the vector level in use, and by running the multiply-add loop of that level
// and reads of memory beyond the last cache: "peak f32, one core", "peak f32, all threads", the same of bf16 and int8
// (in the arithmetic that products of that precision use on this level), "read, one thread", "read, all threads".
DeviceReport probe_cpu(const ProbeOptions& options = {});

}  // namespace accelerate::hardware
