#include "cli/device_print.hpp"

#include "core/text.hpp"
#include "runtime/model_json.hpp"

namespace accelerate::cli {
namespace {

constexpr const char* kNotTried = "not tried";

bool failed(const DeviceCandidate& device) { return !device.taken && device.stage != kNotTried; }

std::string fate_of(const DeviceCandidate& device) {
  if (device.taken) return "taken";
  if (!failed(device)) return std::string(kNotTried) + ", as " + device.reason;
  return "not taken (" + device.stage + "): " + device.reason;
}

}  // namespace

void note_devices(const ModelInfo& model, bool explain, const Output& out) {
  const bool fell_back = failed(model.devices.front());
  for (const DeviceCandidate& device : model.devices) {
    const bool worth_saying = failed(device) || (device.taken && fell_back);
    if (explain || worth_saying) out.note("device " + device.device + ": " + fate_of(device));
  }
  if (model.split_operations.empty()) return;
  out.note("device " + model.device + ": lacks " + joined(model.split_operations) + ", computed on the cpu");
}

Json devices_json(const ModelInfo& model) {
  Json list = Json::array();
  for (const DeviceCandidate& device : model.devices) list.push(runtime::to_json(device));
  return list;
}

Json split_json(const ModelInfo& model) {
  Json list = Json::array();
  for (const std::string& operation : model.split_operations) list.push(operation);
  return list;
}

}  // namespace accelerate::cli
