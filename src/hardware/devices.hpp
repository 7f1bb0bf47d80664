// All probes of this machine, each in a program of its own.
#pragma once

#include "accelerate/devices.hpp"
#include "hardware/probe_program.hpp"

namespace accelerate::hardware {

// Every kind of device, the processor first (alone, because it is measured), then all others at once. Without the
// probing program the processor is probed here and everything else is untested, with the reason. Error{interrupted}.
ProbeAnswer probe_all(const DevicesOptions& options);

}  // namespace accelerate::hardware
