// Numbers and strings as they stand in a template.
#pragma once

#include <optional>

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

struct NumberLiteral {
  Value value;
  std::size_t length = 0;  // bytes
  std::string error = {};  // empty where it is a number
};
// The number that `text` starts with: 12, 1_000, 0x1f, 0o7, 0b1; with `real` also 1.5 and 1e3.
NumberLiteral read_number(std::string_view text, bool real);

// Python's escapes of a string's inside; nothing where one is malformed.
std::optional<std::string> unescaped(std::string_view inside);

}  // namespace accelerate::text::jinja
