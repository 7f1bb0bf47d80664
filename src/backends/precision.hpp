// What weights are stored and multiplied in.
#pragma once

#include <string_view>

namespace accelerate {

// From the widest to the narrowest.
enum class Precision { f32, bf16, f16, int8, int4 };

// "f32", "bf16", "f16", "int8", "int4"
std::string_view name_of(Precision precision);
// Error{invalid_input} listing the names there are.
Precision precision_named(std::string_view name);

}  // namespace accelerate
