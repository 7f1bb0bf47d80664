#include "runtime/load_failure.hpp"

#include <algorithm>

#include "backends/place.hpp"
#include "records/records.hpp"

namespace accelerate::runtime {
namespace {

bool offers(const Backend& backend, const CompileOptions& options) {
  const std::vector<Precision> offered = backend.precisions(options.device);
  return std::ranges::find(offered, options.precision) != offered.end();
}

void record(const Error& error, const Backend& backend, const CompileOptions& options,
            const std::filesystem::path& folder) {
  if (!offers(backend, options)) return;
  const std::string model = std::filesystem::absolute(folder).lexically_normal().string();
  if (auto found = records::compatibility_error_of(error, device_name(backend.name(), options.device), model)) {
    records::Recorder(records::default_path(), {}).add(std::move(*found));
  }
}

}  // namespace

void record_load_failure(const Error& error, const Backend& backend, const CompileOptions& options,
                         const std::filesystem::path& folder) noexcept {
  try {
    record(error, backend, options, folder);
  } catch (const std::exception&) {
    // No working folder, no memory: what matters is the error that the caller gets.
  }
}

}  // namespace accelerate::runtime
