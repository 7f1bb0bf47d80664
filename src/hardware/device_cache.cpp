#include "hardware/device_cache.hpp"

#include <chrono>
#include <cstdlib>

#include "core/file.hpp"
#include "core/variables.hpp"
#include "hardware/device_report.hpp"
#include "hardware/devices.hpp"
#include "hardware/probe_conditions.hpp"

namespace accelerate {
namespace hardware {
namespace {

namespace fs = std::filesystem;

// Of the file's form, not of what is in it.
constexpr std::int64_t kFormat = 1;
constexpr std::size_t kLargestFile = std::size_t{4} << 20;

std::vector<std::string> names_of(const Json& object) {
  std::vector<std::string> names;
  for (const auto& [name, value] : object.members()) names.push_back(name);
  return names;
}

// Values that are equal are written in the same way.
bool equal(const Json& a, const Json& b) { return a.dump() == b.dump(); }

}  // namespace

fs::path cache_folder() {
  const std::string chosen = environment_variable("ACCELERATE_CACHE");
  if (chosen == "off") return {};
  if (!chosen.empty()) return chosen;
  const std::string cache = environment_variable("XDG_CACHE_HOME");
  // The specification has relative ones ignored.
  if (cache.starts_with("/")) return fs::path(cache) / "ipfs-accelerate";
  const std::string home = environment_variable("HOME");
  return home.empty() ? fs::path() : fs::path(home) / ".cache/ipfs-accelerate";
}

DeviceCache::DeviceCache(fs::path folder, int threads) : folder_(std::move(folder)), threads_(threads) {}

std::optional<KnownDevices> DeviceCache::read() const {
  if (folder_.empty()) return std::nullopt;
  try {
    const Json json = Json::parse(read_file(file(), kLargestFile), file().string());
    if (json.at("format").as_int() != kFormat) return std::nullopt;
    if (!equal(json.at("conditions"), probe_conditions(threads_))) return std::nullopt;
    const Json& libraries = json.at("libraries");
    if (!equal(libraries, file_identities(names_of(libraries)))) return std::nullopt;
    return KnownDevices{reports_from(json.at("devices")), json.at("probed_ms").as_int(), true};
  } catch (const Error&) {
    // It is not there, or damaged: the next probing replaces it.
    return std::nullopt;
  }
}

void DeviceCache::write(const ProbeAnswer& found, std::int64_t probed_ms) const {
  if (folder_.empty()) return;
  Json json;
  json.set("format", kFormat).set("probed_ms", probed_ms).set("conditions", probe_conditions(threads_));
  json.set("libraries", file_identities(found.libraries)).set("devices", to_json(found.reports));
  try {
    fs::create_directories(folder_);
    AtomicFile out(file());
    out.write(json.dump(1) + "\n");
    out.commit();
  } catch (const Error& error) {
    throw Error(ErrorKind::unavailable, error.message(), error.where());
  } catch (const fs::filesystem_error& error) {
    throw Error(ErrorKind::unavailable, "cannot be made: " + error.code().message(), folder_.string());
  }
}

std::vector<DeviceReport> last_known_devices() {
  std::optional<KnownDevices> known = DeviceCache(cache_folder(), 0).read();
  return known ? std::move(known->reports) : std::vector<DeviceReport>();
}

}  // namespace hardware

KnownDevices known_devices(const DevicesOptions& options) {
  const hardware::DeviceCache cache(hardware::cache_folder(), options.threads);
  if (!options.refresh) {
    if (std::optional<KnownDevices> known = cache.read()) return std::move(*known);
  }
  hardware::ProbeAnswer found = hardware::probe_all(options);
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t probed_ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  try {
    cache.write(found, probed_ms);
  } catch (const Error& error) {
    if (options.note) options.note("not kept for the next time: " + std::string(error.what()));
  }
  return {std::move(found.reports), probed_ms, false};
}

std::vector<DeviceReport> devices(const DevicesOptions& options) { return known_devices(options).reports; }

}  // namespace accelerate
