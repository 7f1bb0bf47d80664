#include "accelerate/error.hpp"

#include <utility>

namespace accelerate {

std::string_view name_of(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::invalid_input: return "invalid_input";
    case ErrorKind::not_found: return "not_found";
    case ErrorKind::corrupted: return "corrupted";
    case ErrorKind::unsupported: return "unsupported";
    case ErrorKind::out_of_memory: return "out_of_memory";
    case ErrorKind::device_failed: return "device_failed";
    case ErrorKind::unavailable: return "unavailable";
    case ErrorKind::interrupted: return "interrupted";
    case ErrorKind::internal: return "internal";
  }
  return "internal";
}

Error::Error(ErrorKind kind, std::string message, std::string where, std::string hint)
    : kind_(kind), message_(std::move(message)), where_(std::move(where)), hint_(std::move(hint)) {
  if (!where_.empty()) text_ = where_ + ": ";
  text_ += message_;
  if (!hint_.empty()) text_ += "\n  hint: " + hint_;
}

Error Error::within(std::string_view outer) const {
  std::string where(outer);
  if (!where_.empty()) where += ": " + where_;
  return {kind_, message_, std::move(where), hint_};
}

}  // namespace accelerate
