// Runtime libraries that a backend opens and that a machine may not have.
#pragma once

#include <cstdlib>
#include <string>

namespace accelerate::test {

// The variable that names the library of a backend; null where the backend needs none. CI sets all of them
// (tools/fetch_runtimes.sh --variables), so that no test is skipped there.
inline const char* library_variable(const std::string& backend) {
  if (backend == "onnx") return "ACCELERATE_ONNXRUNTIME";
  if (backend == "openvino") return "ACCELERATE_OPENVINO";
  return nullptr;
}

// Why tests of a backend cannot run here; empty: they can.
inline std::string missing_library(const std::string& backend) {
  const char* variable = library_variable(backend);
  if (variable == nullptr || std::getenv(variable) != nullptr) return "";
  return std::string(variable) + " is not set: tools/fetch_runtimes.sh --variables says to what";
}

}  // namespace accelerate::test
