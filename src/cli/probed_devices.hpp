// Devices as the commands `devices` and `doctor` see them.
#pragma once

#include "accelerate/devices.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

// known_devices(), its notes printed, and what a new probing found to fail kept for `report compatibility`.
KnownDevices probed_devices(DevicesOptions options, Output& out);

}  // namespace accelerate::cli
