#include "hardware/devices.hpp"

#include "cli/execute.hpp"
#include "cli/exit_code.hpp"

namespace accelerate::cli {
namespace {

using hardware::DeviceReport;
using hardware::DeviceState;

void print(const DeviceReport& device, Output& out) {
  out.heading(device.name + ": " + device.description);
  Table table({{""}, {""}});
  table.row({"  state", std::string(name_of(device.state))});
  if (device.state == DeviceState::unavailable) table.row({"  failed at", device.stage + ": " + device.reason});
  for (const hardware::Fact& fact : device.facts) table.row({"  " + fact.key, fact.value});
  for (const hardware::Measurement& each : device.measured) {
    table.row({"  " + each.key, significant_text(each.value, 4) + " " + each.unit + " (measured)"});
  }
  out.print(table);
}

Json json_of(const DeviceReport& device) {
  Json json;
  json.set("name", device.name).set("backend", device.backend).set("description", device.description);
  json.set("state", name_of(device.state));
  if (device.state == DeviceState::unavailable) json.set("stage", device.stage).set("reason", device.reason);
  Json facts = Json::object(), measured = Json::array();
  for (const hardware::Fact& fact : device.facts) facts.set(fact.key, fact.value);
  for (const hardware::Measurement& each : device.measured) {
    Json one;
    measured.push(one.set("what", each.key).set("value", each.value).set("unit", each.unit));
  }
  return json.set("facts", std::move(facts)).set("measured", std::move(measured));
}

}  // namespace

int devices(const DevicesCommand& command, Output& out) {
  const std::vector<DeviceReport> found = hardware::probe_devices({.threads = command.threads});
  if (out.wants_json()) {
    Json list = Json::array();
    for (const DeviceReport& device : found) list.push(json_of(device));
    Json json;
    out.json(json.set("devices", std::move(list)));
    return kExitOk;
  }
  bool first = true;
  for (const DeviceReport& device : found) {
    if (!first) out.line();
    first = false;
    print(device, out);
  }
  return kExitOk;
}

}  // namespace accelerate::cli
