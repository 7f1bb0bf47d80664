#include "backends/place.hpp"

#include <algorithm>

#include "checkpoint/nearest.hpp"

namespace accelerate {
namespace {

// Of all backends; one that cannot say what it runs on is a name by itself.
std::vector<std::string> known_names() {
  std::vector<std::string> names;
  for (const auto& backend : backends()) {
    const std::size_t before = names.size();
    try {
      for (const Device& device : backend->devices()) names.push_back(device.name);
    } catch (const Error&) {
      names.resize(before);
    }
    if (names.size() == before) names.emplace_back(backend->name());
  }
  return names;
}

[[noreturn]] void fail_unknown(std::string_view name) {
  std::string there;
  for (const std::string& known : nearest(name, known_names(), std::size_t{1} << 20)) {
    there += (there.empty() ? "" : ", ") + known;
  }
  throw Error(ErrorKind::not_found, "there is no such device; there are " + there, "device " + std::string(name));
}

}  // namespace

std::string device_name(std::string_view backend, std::string_view device) {
  return device.empty() ? std::string(backend) : std::string(backend) + ":" + std::string(device);
}

const Backend& backend_named(std::string_view name) {
  const std::string_view own = name.substr(0, name.find(':'));
  const auto found = std::ranges::find_if(backends(), [own](const auto& backend) { return backend->name() == own; });
  if (found == backends().end()) fail_unknown(name);
  return **found;
}

Place place_named(std::string_view name) {
  const Backend& backend = backend_named(name);
  const auto within = [&backend](std::string_view full) {
    return std::string(full.substr(std::min(full.size(), backend.name().size() + 1)));
  };
  const std::vector<Device> devices = backend.devices();
  if (devices.empty()) return {&backend, within(name), std::string(name)};
  const auto begins_so = [name](const Device& device) { return device.name.starts_with(std::string(name) + ":"); };
  auto found = std::ranges::find(devices, name, &Device::name);
  if (found == devices.end()) found = std::ranges::find_if(devices, begins_so);
  if (found == devices.end()) fail_unknown(name);
  return {&backend, within(found->name), found->name};
}

}  // namespace accelerate
