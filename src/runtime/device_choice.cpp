#include "runtime/device_choice.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "hardware/device_cache.hpp"

namespace accelerate::runtime {
namespace {

constexpr std::string_view kAuto = "auto";
// Measured here, the processor is fastest through its own kernels; what other machines measure may change this.
constexpr std::array<std::string_view, 1> kDefaultOrder{"cpu"};

constexpr const char* kFind = "find";
constexpr const char* kProbe = "probe";
constexpr const char* kSupport = "support";
constexpr const char* kCompile = "compile";
constexpr const char* kNotTried = "not tried";

void add_once(std::string_view name, std::vector<std::string>& names) {
  if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
}

// Whether another device may do what this one could not.
bool is_of_the_device(const Error& error, std::string_view stage) {
  switch (error.kind()) {
    case ErrorKind::unsupported:
    case ErrorKind::out_of_memory:
    case ErrorKind::device_failed:
    case ErrorKind::unavailable:
    case ErrorKind::internal: return true;
    // Compiling finds out that a driver has no device; a tensor that it misses is named by its file.
    case ErrorKind::not_found: return stage == kFind || error.where().starts_with("backend ");
    case ErrorKind::invalid_input:
    case ErrorKind::corrupted:
    case ErrorKind::interrupted: return false;
  }
  return false;
}

// A library or driver that is not there is found out by compiling too.
std::string stage_of(const Error& error, const std::string& reached) {
  if (error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::not_found) return kFind;
  if (error.kind() == ErrorKind::unsupported) return kSupport;
  return reached;
}

// Beside the device's name it need not be said again.
std::string reason_of(const Error& error, const std::string& device) {
  const std::string named = "device " + device;
  std::string where = error.where();
  if (where.starts_with(named)) where.erase(0, named.size());
  if (where.starts_with(": ")) where.erase(0, 2);
  return where.empty() ? error.message() : where + ": " + error.message();
}

// What is known of a device from the last probing, where it would be found out too late, or at the cost of the process.
void expect_not_known_as_broken(const std::string& device) {
  for (const DeviceReport& known : hardware::last_known_devices()) {
    const bool broken = known.stage == ProbeStage::wrong_result || known.stage == ProbeStage::crashed ||
                        known.stage == ProbeStage::timed_out;
    if (known.name != device || !broken) continue;
    throw Error(ErrorKind::device_failed, std::string(name_of(known.stage)) + ": " + known.reason, "device " + device,
                "`devices --refresh` probes it anew");
  }
}

// One device tried: nothing where it was taken.
std::optional<Error> try_device(DeviceCandidate& candidate, const OpenOn& open) {
  candidate.stage = kFind;
  try {
    const Place place = place_named(candidate.device);
    candidate.device = place.name;
    candidate.stage = kProbe;
    // Our own kernels are what others are compared with.
    if (place.backend != backends().front().get()) expect_not_known_as_broken(place.name);
    candidate.stage = kCompile;
    open(place);
    candidate.stage.clear();
    candidate.taken = true;
    return std::nullopt;
  } catch (const Error& error) {
    if (!is_of_the_device(error, candidate.stage)) throw;
    candidate.stage = stage_of(error, candidate.stage);
    candidate.reason = reason_of(error, candidate.device);
    return error;
  } catch (const std::bad_alloc&) {
    candidate.reason = "no memory";
    return Error(ErrorKind::out_of_memory, candidate.reason, "device " + candidate.device);
  }
}

[[noreturn]] void fail(const Error& first, const std::vector<DeviceCandidate>& tried) {
  if (tried.size() == 1) throw first;
  std::string reasons;
  for (const DeviceCandidate& each : tried) {
    reasons += (reasons.empty() ? "" : "; ") + each.device + " (" + each.stage + "): " + each.reason;
  }
  throw Error(first.kind(), "none of the devices asked for can be used: " + reasons, first.where(), first.hint());
}

}  // namespace

std::vector<std::string> devices_asked(std::string_view list) {
  std::vector<std::string> names;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t end = std::min(list.find(',', begin), list.size());
    const std::string_view name = list.substr(begin, end - begin);
    begin = end + 1;
    if (name.empty()) {
      throw Error(ErrorKind::invalid_input, "found \"" + std::string(list) + "\", expected names with commas between",
                  "device");
    }
    if (name == kAuto) {
      for (const std::string_view one : kDefaultOrder) add_once(one, names);
    } else {
      backend_named(name);
      add_once(name, names);
    }
  }
  return names;
}

bool is_unusable(const Error& error) {
  return error.kind() == ErrorKind::unavailable || error.kind() == ErrorKind::device_failed ||
         (error.kind() == ErrorKind::not_found && error.where().starts_with("device "));
}

std::string computed_on(const ModelInfo& info) {
  return info.split_operations.empty() ? info.device : info.device + "+" + std::string(backends().front()->name());
}

std::vector<DeviceCandidate> choose_device(const std::vector<std::string>& names, bool fallback, const OpenOn& open) {
  std::vector<DeviceCandidate> tried;
  std::optional<Error> first;
  bool taken = false;
  for (const std::string& name : names) {
    DeviceCandidate& candidate = tried.emplace_back();
    candidate.device = name;
    if (taken) {
      candidate.stage = kNotTried;
      candidate.reason = "one before it was taken";
      continue;
    }
    const std::optional<Error> error = try_device(candidate, open);
    taken = !error.has_value();
    if (taken) continue;
    if (!fallback) throw Error(*error);
    if (!first) first = error;
  }
  if (!taken) fail(*first, tried);
  return tried;
}

}  // namespace accelerate::runtime
