#include "hardware/devices.hpp"

#include <algorithm>
#include <future>
#include <iterator>
#include <optional>

#include "backends/backend.hpp"
#include "hardware/cpu_probe.hpp"
#include "hardware/helper.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

DeviceReport row(std::string_view name, std::string_view backend, std::string_view description) {
  DeviceReport row;
  row.name = name;
  row.backend = backend;
  row.description = description;
  return row;
}

DeviceReport row_of(const DriverProbe& probe) { return row(probe.kind, {}, probe.description); }
DeviceReport row_of(const Backend& backend) {
  return row(backend.name(), backend.name(), "the backend " + std::string(backend.name()));
}

void add(ProbeAnswer& all, ProbeAnswer more) {
  std::move(more.reports.begin(), more.reports.end(), std::back_inserter(all.reports));
  std::move(more.libraries.begin(), more.libraries.end(), std::back_inserter(all.libraries));
}

// A program for the list and one for each device: one that crashes takes no other with it.
ProbeAnswer probe_backend(const Helper& helper, const std::string& backend, const DeviceReport& none) {
  ProbeAnswer listed = helper.ask({"devices", backend}, none);
  ProbeAnswer probed{.libraries = std::move(listed.libraries)};
  for (DeviceReport& device : listed.reports) {
    if (device.state == DeviceState::untested) {
      add(probed, helper.ask({"device", backend, device.name}, device));
    } else {
      probed.reports.push_back(std::move(device));
    }
  }
  return probed;
}

// What can be said without the probing program.
ProbeAnswer without_helper(const DevicesOptions& options, const Error& error) {
  ProbeAnswer answer{.reports = {probe_cpu({.threads = options.threads})}};
  for (const auto& backend : backends()) {
    if (backend->name() != "cpu") answer.reports.push_back(row_of(*backend));
  }
  for (const DriverProbe& probe : driver_probes()) answer.reports.push_back(row_of(probe));
  for (DeviceReport& report : answer.reports) {
    if (report.state != DeviceState::untested) continue;
    report.reason = error.where().empty() ? error.message() : error.where() + ": " + error.message();
    report.advice = error.hint();
  }
  return answer;
}

ProbeAnswer with_helper(const Helper& helper, const DevicesOptions& options) {
  ProbeAnswer all = helper.ask({"cpu", std::to_string(options.threads)}, row("cpu", "cpu", "the processor"));
  std::vector<std::future<ProbeAnswer>> asked;
  for (const auto& backend : backends()) {
    if (backend->name() == "cpu") continue;
    asked.push_back(std::async(std::launch::async, [&helper, each = backend.get()] {
      return probe_backend(helper, std::string(each->name()), row_of(*each));
    }));
  }
  for (const DriverProbe& probe : driver_probes()) {
    asked.push_back(std::async(std::launch::async, [&helper, &probe] {
      return helper.ask({"driver", std::string(probe.kind)}, row_of(probe));
    }));
  }
  // All of them are waited for, also when one throws: a future's destructor waits.
  for (std::future<ProbeAnswer>& each : asked) add(all, each.get());
  return all;
}

}  // namespace

ProbeAnswer probe_all(const DevicesOptions& options) {
  std::optional<Helper> helper;
  try {
    helper.emplace(find_helper(), std::chrono::milliseconds(static_cast<std::int64_t>(options.limit_seconds * 1000)),
                   options.cancellation);
  } catch (const Error& error) {
    return without_helper(options, error);
  }
  ProbeAnswer all = with_helper(*helper, options);
  std::sort(all.libraries.begin(), all.libraries.end());
  all.libraries.erase(std::unique(all.libraries.begin(), all.libraries.end()), all.libraries.end());
  return all;
}

}  // namespace accelerate::hardware
