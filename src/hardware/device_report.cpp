#include "hardware/device_report.hpp"

#include <array>
#include <cmath>
#include <utility>

namespace accelerate {
namespace {

// In the order of the enumerations.
constexpr std::array<std::string_view, 3> kStates = {"available", "unavailable", "untested"};
constexpr std::array<std::string_view, 9> kStages = {"",          "library absent", "driver too old",
                                                     "no device", "out of memory",  "wrong result",
                                                     "crashed",   "timed out",      "failed"};

template <typename Enum, std::size_t count>
Enum named(const std::array<std::string_view, count>& names, const std::string& name, const char* what) {
  for (std::size_t i = 0; i < count; ++i) {
    if (names[i] == name) return static_cast<Enum>(i);
  }
  throw Error(ErrorKind::corrupted, "\"" + name + "\" is no " + what, std::string("field ") + what);
}

std::string text_of(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value == nullptr ? std::string() : value->as_string();
}

}  // namespace

std::string_view name_of(DeviceState state) { return kStates.at(static_cast<std::size_t>(state)); }
std::string_view name_of(ProbeStage stage) { return kStages.at(static_cast<std::size_t>(stage)); }

namespace hardware {
namespace {

DeviceMeasurement measurement_from(const Json& json) {
  DeviceMeasurement measured{json.at("what").as_string(), json.at("value").as_double(), json.at("unit").as_string()};
  // It could not be written again.
  if (!std::isfinite(measured.value)) throw Error(ErrorKind::corrupted, "is not finite", "field value");
  return measured;
}

}  // namespace

Json to_json(const DeviceReport& report) {
  Json json;
  json.set("name", report.name).set("backend", report.backend).set("description", report.description);
  json.set("state", name_of(report.state));
  if (report.stage != ProbeStage::none) json.set("stage", name_of(report.stage));
  if (!report.reason.empty()) json.set("reason", report.reason);
  if (!report.advice.empty()) json.set("advice", report.advice);
  Json facts = Json::object(), measured = Json::array();
  for (const DeviceFact& fact : report.facts) facts.set(fact.key, fact.value);
  for (const DeviceMeasurement& each : report.measured) {
    Json one;
    measured.push(one.set("what", each.key).set("value", each.value).set("unit", each.unit));
  }
  return json.set("facts", std::move(facts)).set("measured", std::move(measured));
}

Json to_json(const std::vector<DeviceReport>& reports) {
  Json list = Json::array();
  for (const DeviceReport& report : reports) list.push(to_json(report));
  return list;
}

DeviceReport report_from(const Json& json) {
  DeviceReport report;
  report.name = json.at("name").as_string();
  report.backend = json.at("backend").as_string();
  report.description = json.at("description").as_string();
  report.state = named<DeviceState>(kStates, json.at("state").as_string(), "state");
  report.stage = named<ProbeStage>(kStages, text_of(json, "stage"), "stage");
  report.reason = text_of(json, "reason");
  report.advice = text_of(json, "advice");
  for (const auto& [key, value] : json.at("facts").members()) report.facts.push_back({key, value.as_string()});
  for (const Json& each : json.at("measured").items()) report.measured.push_back(measurement_from(each));
  return report;
}

std::vector<DeviceReport> reports_from(const Json& json) {
  std::vector<DeviceReport> reports;
  for (const Json& each : json.items()) reports.push_back(report_from(each));
  return reports;
}

ProbeStage stage_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::unavailable: return ProbeStage::library_absent;
    case ErrorKind::unsupported: return ProbeStage::driver_too_old;
    case ErrorKind::not_found: return ProbeStage::no_device;
    case ErrorKind::out_of_memory: return ProbeStage::out_of_memory;
    case ErrorKind::invalid_input:
    case ErrorKind::corrupted:
    case ErrorKind::device_failed:
    case ErrorKind::interrupted:
    case ErrorKind::internal: return ProbeStage::failed;
  }
  return ProbeStage::failed;
}

DeviceReport failed(DeviceReport report, ProbeStage stage, std::string reason, std::string advice) {
  report.state = DeviceState::unavailable;
  report.stage = stage;
  report.reason = std::move(reason);
  report.advice = std::move(advice);
  return report;
}

DeviceReport failed(DeviceReport report, const Error& error) {
  const std::string reason = error.where().empty() ? error.message() : error.where() + ": " + error.message();
  return failed(std::move(report), stage_of(error.kind()), reason, error.hint());
}

}  // namespace hardware
}  // namespace accelerate
