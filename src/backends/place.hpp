// Devices by the names that users give them: BACKEND[:DEVICE], "cpu", "onnx:cuda:0".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.hpp"

namespace accelerate {

// One device of one backend.
struct Place {
  const Backend* backend = nullptr;
  std::string device;  // within the backend, as CompileOptions::device has it
  std::string name;    // "onnx:cuda:0"
};

// A backend's name alone is its first device, and the beginning of a device's name up to a colon is the first that
// begins so. One that is not listed is taken at its word where the backend knows it, or lists nothing because
// a library is missing: compile() says what it lacks. Error{not_found} listing the devices there are, the nearest name
// first; what Backend::devices throws.
Place place_named(std::string_view name);

// "cuda:0" of "onnx:cuda:0", nothing of "cpu": CompileOptions::device for a device's name.
std::string device_within(std::string_view name);

// "onnx" and "cuda:0" give "onnx:cuda:0".
std::string device_name(std::string_view backend, std::string_view device);

}  // namespace accelerate
