#include "records/compatibility.hpp"

namespace accelerate::records {

std::optional<CompatibilityError> compatibility_error_of(const DeviceReport& device) {
  const bool absent = device.stage == ProbeStage::library_absent || device.stage == ProbeStage::no_device;
  if (device.state != DeviceState::unavailable || absent) return std::nullopt;
  CompatibilityError error;
  error.hardware = device.description.empty() ? device.name : device.name + " (" + device.description + ")";
  error.kind = name_of(device.stage);
  error.severity = "error";
  error.component = "probe";
  error.message = device.reason;
  error.advice = device.advice;
  return error;
}

std::optional<CompatibilityError> compatibility_error_of(const Error& error, std::string device, std::string model) {
  switch (error.kind()) {
    case ErrorKind::unsupported:
    case ErrorKind::out_of_memory:
    case ErrorKind::device_failed:
    case ErrorKind::unavailable: break;
    case ErrorKind::invalid_input:
    case ErrorKind::not_found:
    case ErrorKind::corrupted:
    case ErrorKind::interrupted:
    case ErrorKind::internal: return std::nullopt;
  }
  CompatibilityError found;
  found.hardware = std::move(device);
  found.kind = name_of(error.kind());
  found.severity = "error";
  found.component = "load";
  found.model = std::move(model);
  found.message = error.where().empty() ? error.message() : error.where() + ": " + error.message();
  found.advice = error.hint();
  return found;
}

}  // namespace accelerate::records
