// Is this installation in order, and if not, what is to be done?
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/devices.hpp"
#include "core/json.hpp"

namespace accelerate::report {

enum class Health : std::uint8_t {
  well,
  note,  // nothing is broken, but it may not be as somebody expects: an optional runtime that is not installed
  mend,  // something does not work, or works against the user
};
// "well", "note", "mend"
std::string_view name_of(Health health);

// One thing that was looked at.
struct Finding {
  std::string area;  // "records", "device cuda:0"
  Health health = Health::well;
  std::string message;
  std::string advice;  // what to do; empty where nothing is to be done
};

// Program, probing program, records, cache folder, threads and memory against what this process may use, vector level,
// huge pages, and each of these devices.
std::vector<Finding> examine(std::span<const DeviceReport> devices);

// Parts of it, for what tests can arrange.
std::vector<Finding> examine_records(const std::filesystem::path& file);
std::vector<Finding> examine_folder(const std::string& area, const std::filesystem::path& folder);
std::vector<Finding> examine_devices(std::span<const DeviceReport> devices);

bool all_well(std::span<const Finding> findings);
// {"healthy": true, "findings": [{"area", "health", "message", "advice"}]}
Json to_json(std::span<const Finding> findings);

}  // namespace accelerate::report
