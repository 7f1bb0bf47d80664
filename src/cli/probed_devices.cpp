#include "cli/probed_devices.hpp"

#include "records/records.hpp"

namespace accelerate::cli {

KnownDevices probed_devices(DevicesOptions options, Output& out) {
  const auto note = [&out](const std::string& text) { out.note(text); };
  options.note = note;
  KnownDevices known = known_devices(options);
  if (known.from_cache) return known;
  records::Recorder recorder(records::default_path(), note);
  for (const DeviceReport& device : known.reports) {
    if (auto error = records::compatibility_error_of(device)) recorder.add(std::move(*error));
  }
  return known;
}

}  // namespace accelerate::cli
