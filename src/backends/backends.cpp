#include <string>

#include "backends/backend.hpp"
#include "backends/cpu/cpu_backend.hpp"

namespace accelerate {
namespace {

constexpr std::pair<Precision, std::string_view> kPrecisions[] = {{Precision::f32, "f32"},
                                                                  {Precision::bf16, "bf16"},
                                                                  {Precision::f16, "f16"},
                                                                  {Precision::int8, "int8"},
                                                                  {Precision::int4, "int4"}};

std::vector<std::unique_ptr<Backend>> make_backends() {
  std::vector<std::unique_ptr<Backend>> all;
  all.push_back(cpu::make_backend());
  return all;
}

}  // namespace

std::string_view name_of(Precision precision) { return kPrecisions[static_cast<std::size_t>(precision)].second; }

Precision precision_named(std::string_view name) {
  std::string known;
  for (const auto& [precision, text] : kPrecisions) {
    if (text == name) return precision;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(ErrorKind::invalid_input, "no precision \"" + std::string(name) + "\"; there are " + known);
}

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
