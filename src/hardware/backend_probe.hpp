// A backend's devices: listed, and each run on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accelerate/devices.hpp"
#include "backends/backend.hpp"

namespace accelerate::hardware {

// One untested row a device; where there is none, one unavailable row in the backend's name that says why.
std::vector<DeviceReport> list_backend(const Backend& backend);

// The device of that name ("onnx:cuda:0"), available once a small graph came out right on it.
DeviceReport probe_device(const Backend& backend, std::string_view name);

}  // namespace accelerate::hardware
