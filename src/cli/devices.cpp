#include "accelerate/devices.hpp"

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/probed_devices.hpp"
#include "hardware/device_report.hpp"
#include "records/record_json.hpp"

namespace accelerate::cli {
namespace {

std::string state_text(const DeviceReport& device) {
  std::string text(name_of(device.state));
  if (device.stage != ProbeStage::none) text += ": " + std::string(name_of(device.stage));
  return text;
}

// What is known of one that is here.
void print_facts(const DeviceReport& device, Output& out) {
  out.line();
  out.heading(device.name + ": " + device.description);
  Table table({{""}, {""}});
  for (const DeviceFact& fact : device.facts) table.row({"  " + fact.key, fact.value});
  for (const DeviceMeasurement& each : device.measured) {
    table.row({"  " + each.key, significant_text(each.value, 4) + " " + each.unit + " (measured)"});
  }
  out.print(table);
}

void print(const std::vector<DeviceReport>& devices, Output& out) {
  Table table({{"device"}, {"state"}, {"what it is, or why not"}});
  for (const DeviceReport& device : devices) {
    table.row({device.name, state_text(device),
               device.state == DeviceState::unavailable ? device.reason : device.description});
    if (out.verbose() && !device.advice.empty()) table.row({"", "", "advice: " + device.advice});
  }
  out.print(table);
  for (const DeviceReport& device : devices) {
    if (!device.facts.empty() || !device.measured.empty()) print_facts(device, out);
  }
}

}  // namespace

int devices(const DevicesCommand& command, const Cancellation& cancellation, Output& out) {
  DevicesOptions options{.refresh = command.refresh, .threads = command.threads, .cancellation = cancellation};
  if (command.timeout) options.limit_seconds = *command.timeout;
  const KnownDevices known = probed_devices(std::move(options), out);
  if (out.wants_json()) {
    Json json;
    json.set("probed", records::time_text(known.probed_ms)).set("from_cache", known.from_cache);
    out.json(json.set("devices", hardware::to_json(known.reports)));
    return kExitOk;
  }
  print(known.reports, out);
  if (known.from_cache) {
    out.note("found at " + records::time_text(known.probed_ms) + "; --refresh probes anew");
  }
  return kExitOk;
}

}  // namespace accelerate::cli
