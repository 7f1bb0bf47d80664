// Reports of devices (accelerate/devices.hpp) as JSON, and the errors that probes turn into them.
#pragma once

#include <vector>

#include "accelerate/devices.hpp"
#include "core/json.hpp"

namespace accelerate::hardware {

// {"name": "cuda:0", "backend": "", "description": "...", "state": "unavailable", "stage": "driver too old",
//  "reason": "...", "advice": "...", "facts": {"memory": "80 GiB"}, "measured": [{"what", "value", "unit"}]}; stage,
// reason and advice are left out where they are empty.
Json to_json(const DeviceReport& report);
Json to_json(const std::vector<DeviceReport>& reports);
// Error{corrupted} naming the field.
DeviceReport report_from(const Json& json);
std::vector<DeviceReport> reports_from(const Json& json);

// What an error says about a device, in the terms of probes: `unavailable` is a library that is not there,
// `unsupported` one that is too old, `not_found` a device that is not there.
ProbeStage stage_of(ErrorKind kind);

// `report` as unavailable.
DeviceReport failed(DeviceReport report, ProbeStage stage, std::string reason, std::string advice);
DeviceReport failed(DeviceReport report, const Error& error);

}  // namespace accelerate::hardware
