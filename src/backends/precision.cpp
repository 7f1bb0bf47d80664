#include "backends/precision.hpp"

#include <utility>

#include "accelerate/error.hpp"

namespace accelerate {
namespace {

constexpr std::pair<Precision, std::string_view> kPrecisions[] = {{Precision::f32, "f32"},
                                                                  {Precision::bf16, "bf16"},
                                                                  {Precision::f16, "f16"},
                                                                  {Precision::int8, "int8"},
                                                                  {Precision::int4, "int4"}};

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

DType state_type(std::string_view name) {
  for (const DType stored : {DType::f32, DType::bf16, DType::f16}) {
    if (name == name_of(stored)) return stored;
  }
  throw Error(ErrorKind::invalid_input, "is \"" + std::string(name) + "\", expected f32, bf16 or f16",
              "cache_precision");
}

Precision Precisions::of(std::string_view path) const {
  for (;;) {
    const auto found = overrides.find(std::string(path));
    if (found != overrides.end()) return found->second;
    const std::size_t dot = path.rfind('.');
    if (dot == std::string_view::npos) return standard;
    path = path.substr(0, dot);
  }
}

}  // namespace accelerate
