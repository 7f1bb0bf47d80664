#include <algorithm>
#include <cstdlib>
#include <sstream>

#include "backends/backend.hpp"
#include "backends/cpu/cpu_backend.hpp"
#include "backends/limited_backend.hpp"
#include "backends/onnx/onnx_backend.hpp"
#include "backends/openvino/openvino_backend.hpp"
#include "core/variables.hpp"

namespace accelerate {
namespace {

using Backends = std::vector<std::unique_ptr<Backend>>;

constexpr const char* kDisabled = "ACCELERATE_DISABLE_OPERATIONS";

// "BACKEND:OPERATION,..."
void limit(Backends& all, const std::string& text) {
  const std::size_t colon = text.find(':');
  const auto backend = std::ranges::find_if(
      all, [&](const auto& each) { return colon != std::string::npos && each->name() == text.substr(0, colon); });
  if (backend == all.end()) {
    throw Error(ErrorKind::invalid_input,
                "found \"" + text + "\", expected BACKEND:OPERATION,... of a backend there is", kDisabled);
  }
  std::set<std::string, std::less<>> operations;
  std::istringstream rest(text.substr(colon + 1));
  for (std::string operation; std::getline(rest, operation, ',');) operations.insert(operation);
  *backend = std::make_unique<LimitedBackend>(std::move(*backend), std::move(operations));
}

Backends make_backends() {
  Backends all;
  all.push_back(cpu::make_backend());
  all.push_back(onnx::make_backend());
  all.push_back(openvino::make_backend());
  std::istringstream words(environment_variable(kDisabled));
  for (std::string word; words >> word;) limit(all, word);
  return all;
}

Backends& registry() {
  static Backends all = make_backends();
  return all;
}

}  // namespace

const std::vector<std::unique_ptr<Backend>>& backends() { return registry(); }

void require(const Support& support, const std::string& device) {
  if (support) return;
  std::string missing;
  for (const Support::Missing& each : support.missing) {
    missing += (missing.empty() ? "" : ", ") + each.operation + " (" + each.reason + ")";
  }
  throw Error(ErrorKind::unsupported,
              (support.missing.size() > 1 ? "lacks the operations " : "lacks the operation ") + missing,
              "device " + device, "--split computes it on the cpu");
}

RegisteredBackend::RegisteredBackend(std::unique_ptr<Backend> backend) : backend_(backend.get()) {
  Backends& all = registry();
  const auto same = std::ranges::find_if(all, [&](const auto& each) { return each->name() == backend_->name(); });
  all.insert(same, std::move(backend));
}

RegisteredBackend::~RegisteredBackend() {
  std::erase_if(registry(), [this](const auto& each) { return each.get() == backend_; });
}

}  // namespace accelerate
