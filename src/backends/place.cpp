#include "backends/place.hpp"

#include <algorithm>

#include "checkpoint/nearest.hpp"
#include "core/text.hpp"

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
  const std::vector<std::string> known = known_names();
  throw Error(ErrorKind::not_found, "there is no such device; there are " + joined(nearest(name, known, known.size())),
              "device " + std::string(name));
}

}  // namespace

std::string device_name(std::string_view backend, std::string_view device) {
  return device.empty() ? std::string(backend) : std::string(backend) + ":" + std::string(device);
}

std::string device_within(std::string_view name) {
  const std::size_t colon = name.find(':');
  return colon == std::string_view::npos ? std::string() : std::string(name.substr(colon + 1));
}

const Backend& backend_named(std::string_view name) {
  const std::string_view own = name.substr(0, name.find(':'));
  const auto found = std::ranges::find_if(backends(), [own](const auto& backend) { return backend->name() == own; });
  if (found == backends().end()) fail_unknown(name);
  return **found;
}

Place place_named(std::string_view name) {
  const Backend& backend = backend_named(name);
  const std::vector<Device> devices = backend.devices();
  const auto begins_so = [name](const Device& device) { return device.name.starts_with(std::string(name) + ":"); };
  auto found = std::ranges::find(devices, name, &Device::name);
  if (found == devices.end()) found = std::ranges::find_if(devices, begins_so);
  if (found != devices.end()) return {&backend, device_within(found->name), found->name};
  if (devices.empty() || backend.knows(device_within(name))) return {&backend, device_within(name), std::string(name)};
  fail_unknown(name);
}

}  // namespace accelerate
