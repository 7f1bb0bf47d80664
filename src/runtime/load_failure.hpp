// A model that a device does not take is worth knowing beyond the call that met it.
#pragma once

#include <filesystem>

#include "backends/backend.hpp"

namespace accelerate::runtime {

// Keeps an error of Backend::compile for `report compatibility`. Not one that is about the question: a wrong argument,
// an interruption, a precision that the backend does not offer. Where it cannot be kept nothing happens: the error
// itself goes to the caller.
void record_load_failure(const Error& error, const Backend& backend, const CompileOptions& options,
                         const std::filesystem::path& folder) noexcept;

}  // namespace accelerate::runtime
