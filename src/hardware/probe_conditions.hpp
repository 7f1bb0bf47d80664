// What probes depend on: while all of it stays the same, what they found still holds.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/json.hpp"

namespace accelerate::hardware {

// Name and value of everything that is cheap to look at: this build, the probing program, kernel and processor, the
// allowance of this process (affinity, cgroups), the drivers' modules and device files, the dynamic linker's cache and
// the environment variables that drivers and this library read. `threads` are those of the measurements. Loads nothing,
// runs nothing; under a millisecond.
Json probe_conditions(int threads);

// Path, size and time of change of each of these files, and that of those that are not there.
Json file_identities(const std::vector<std::string>& paths);

}  // namespace accelerate::hardware
