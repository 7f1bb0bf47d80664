#include <string>

#include "backends/backend.hpp"
#include "backends/cpu/cpu_backend.hpp"

namespace accelerate {
namespace {

std::vector<std::unique_ptr<Backend>> make_backends() {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(cpu::make_backend());
  return all;
}

}  // namespace

const std::vector<std::unique_ptr<Backend>>& backends() {
  static const std::vector<std::unique_ptr<Backend>> all = make_backends();
  return all;
}

const Backend& backend_named(std::string_view name) {
  std::string known;
  for (const auto& backend : backends()) {
    if (backend->name() == name) return *backend;
    known += (known.empty() ? "" : ", ") + std::string(backend->name());
  }
  throw Error(ErrorKind::not_found, "no backend \"" + std::string(name) + "\"; there are " + known);
}

}  // namespace accelerate
