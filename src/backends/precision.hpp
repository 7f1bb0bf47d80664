// What weights are stored and multiplied in.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "accelerate/tensor.hpp"

namespace accelerate {

// From the widest to the narrowest.
enum class Precision { f32, bf16, f16, int8, int4 };

// "f32", "bf16", "f16", "int8", "int4"
std::string_view name_of(Precision precision);
// Error{invalid_input} listing the names there are.
Precision precision_named(std::string_view name);

// What keys and values that stay are stored as, by the name "f32", "bf16" or "f16". Error{invalid_input} else.
DType state_type(std::string_view name);

// What products of a plan are computed in.
struct Precisions {
  Precision standard = Precision::f32;
  std::map<std::string, Precision> overrides;  // by the path of an operation, or of a module for all below it
  // The nearest override above `path`, else the standard.
  Precision of(std::string_view path) const;
};

}  // namespace accelerate
