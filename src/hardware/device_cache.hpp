// What the last probing found, kept in a file of the user's cache folder.
#pragma once

#include <filesystem>
#include <optional>

#include "accelerate/devices.hpp"
#include "hardware/probe_program.hpp"

namespace accelerate::hardware {

// The variable ACCELERATE_CACHE, where it is set: a folder, or "off" (empty path: keep nothing). Else
// $XDG_CACHE_HOME/ipfs-accelerate, else ~/.cache/ipfs-accelerate; empty where there is no home either.
std::filesystem::path cache_folder();

// A file is read whole or replaced whole, so that any number of processes may do both at once: the last one wins, and
// each has probed the same machine.
class DeviceCache {
 public:
  // Measurements are of so many threads (0: the default); an empty folder keeps nothing.
  DeviceCache(std::filesystem::path folder, int threads);

  std::filesystem::path file() const { return folder_ / "devices.json"; }
  // Nothing where there is no file, it is damaged, or what it was found under (probe_conditions.hpp) has changed.
  std::optional<KnownDevices> read() const;
  // Makes the folder. Error{unavailable} when it cannot be written.
  void write(const ProbeAnswer& found, std::int64_t probed_ms) const;

 private:
  std::filesystem::path folder_;
  int threads_;
};

// What the cache has of this machine; nothing where it holds no longer. Nothing is probed.
std::vector<DeviceReport> last_known_devices();

}  // namespace accelerate::hardware
