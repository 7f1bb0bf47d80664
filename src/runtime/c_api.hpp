// What the files of the C interface share: exceptions become a status and the thread's last error.
#pragma once

#include <algorithm>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.h"
#include "accelerate/accelerate.hpp"

struct accelerate_cancellation {
  accelerate::Cancellation value;
};

struct accelerate_model {
  accelerate::Model value;
  std::string info_json;
};

namespace accelerate::c_api {

// The status of the exception being handled, kept as this thread's last error.
accelerate_status keep_error() noexcept;

// `body` may throw whatever it likes.
template <typename Body>
accelerate_status guarded(Body&& body) noexcept {
  try {
    body();
    return ACCELERATE_OK;
  } catch (...) {
    return keep_error();
  }
}

// Error{invalid_input} naming an argument that is NULL.
template <typename T>
T* required(T* pointer, const char* name) {
  if (pointer == nullptr) throw Error(ErrorKind::invalid_input, "is NULL", name);
  return pointer;
}

// The caller's options, what an older caller's struct lacks left at its default. Error{invalid_input} when the macro
// was forgotten.
template <typename Options>
Options options_or(const Options* given, Options defaults) {
  if (given == nullptr) return defaults;
  const std::size_t size = given->size;
  if (size < sizeof(std::size_t) || size > (std::size_t{1} << 16)) {
    throw Error(ErrorKind::invalid_input, "has no sensible value; begin options with their macro", "options.size");
  }
  const auto* from = reinterpret_cast<const std::byte*>(given);
  std::copy_n(from, std::min(size, sizeof(Options)), reinterpret_cast<std::byte*>(&defaults));
  return defaults;
}

BatchOptions batch_options(const accelerate_batch_options* given);
// Error{invalid_input} naming `name[i]` that is NULL.
std::vector<std::string> strings(const char* const* texts, std::size_t count, const char* name);
// (texts[i], pairs[i]); errors as strings'.
std::vector<TextPair> text_pairs(const char* const* texts, const char* const* pairs, std::size_t count);
// Of "PATH=PRECISION,..."; none of NULL. Error{invalid_input} for a part without =.
std::map<std::string, std::string> layer_precisions(const char* text);
// What accelerate_string_free() frees.
char* new_string(std::string_view text);

}  // namespace accelerate::c_api
