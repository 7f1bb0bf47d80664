#include "hardware/backend_probe.hpp"

#include "backends/place.hpp"
#include "hardware/device_report.hpp"
#include "hardware/small_graph.hpp"

namespace accelerate::hardware {
namespace {

std::string precisions_of(const Backend& backend, std::string_view device) {
  std::string names;
  for (const Precision precision : backend.precisions(device)) {
    names += (names.empty() ? "" : " ") + std::string(name_of(precision));
  }
  return names;
}

DeviceReport row_of(const Backend& backend, const Device& device) {
  DeviceReport row;
  row.name = device.name;
  row.backend = backend.name();
  row.description = device.description;
  row.facts = {{"precisions", precisions_of(backend, device_within(device.name))}};
  return row;
}

}  // namespace

std::vector<DeviceReport> list_backend(const Backend& backend) {
  std::vector<DeviceReport> rows;
  DeviceReport none;
  none.name = none.backend = backend.name();
  none.description = "the backend " + none.name;
  try {
    for (const Device& device : backend.devices()) rows.push_back(row_of(backend, device));
  } catch (const Error& error) {
    return {failed(std::move(none), error)};
  }
  if (!rows.empty()) return rows;
  // Only compiling says what was looked for, and where.
  DeviceReport tried = judged(none, backend, {});
  if (tried.state == DeviceState::available) {
    return {failed(std::move(none), ProbeStage::no_device, "the backend lists no device", {})};
  }
  return {std::move(tried)};
}

DeviceReport probe_device(const Backend& backend, std::string_view name) {
  for (const Device& device : backend.devices()) {
    if (device.name == name) return judged(row_of(backend, device), backend, device_within(name));
  }
  DeviceReport row;
  row.name = name;
  row.backend = backend.name();
  return failed(std::move(row), ProbeStage::no_device, "the backend no longer lists it", {});
}

}  // namespace accelerate::hardware
