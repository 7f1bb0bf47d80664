// The element types that GGUF files number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "checkpoint/encoding.hpp"

namespace accelerate {

struct GgufType {
  std::uint32_t number = 0;
  std::string_view name;                            // "Q4_1"
  int values = 1;                                   // of one block
  int bytes = 0;                                    // of one block
  std::optional<Encoding> encoding = std::nullopt;  // none where this version does not read it
};

// Null for a number that is not known.
const GgufType* gguf_type(std::uint32_t number);

}  // namespace accelerate
