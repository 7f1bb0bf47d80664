// The one exception type of the library: what went wrong, where, and what to do about it.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "accelerate/export.hpp"

namespace accelerate {

enum class ErrorKind {
  invalid_input,  // the caller's text, tensors or options
  not_found,      // a file, tensor, model or device that is not there
  corrupted,      // a file that contradicts itself or its format
  unsupported,    // understood, but not done by this build or device
  out_of_memory,
  device_failed,
  unavailable,  // a service or resource that may answer later
  interrupted,  // the caller asked to stop
  internal,     // a fault of ours
};

// "invalid_input", "not_found", ...
ACCELERATE_API std::string_view name_of(ErrorKind kind);

// Thrown inside the library, caught at its edges (command line, C API, server).
class ACCELERATE_API Error : public std::exception {
 public:
  // `message` names what was found and what was expected; `where` the file, tensor or field; `hint` what to do.
  Error(ErrorKind kind, std::string message, std::string where = {}, std::string hint = {});

  ErrorKind kind() const { return kind_; }
  const std::string& message() const { return message_; }
  const std::string& where() const { return where_; }
  const std::string& hint() const { return hint_; }

  // "where: message", and "\n  hint: ..." where there is one.
  const char* what() const noexcept override { return text_.c_str(); }

  // The same error seen from further out: `outer` is put before `where`.
  Error within(std::string_view outer) const;

 private:
  ErrorKind kind_;
  std::string message_, where_, hint_, text_;
};

}  // namespace accelerate
