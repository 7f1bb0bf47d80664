// Strings, numbers and lists of values as schemas ask for them.
#pragma once

#include "decoding/constraint/json_text.hpp"
#include "decoding/constraint/schema_parts.hpp"

namespace accelerate::decoding::constraint {

// Values that all enum and const lists share and that are of an allowed type.
StateId enumeration_states(AutomatonBuilder& builder, JsonText& text, const Schemas& schemas, StateId to);
// By length, pattern or format.
StateId string_states(AutomatonBuilder& builder, JsonText& text, const Schemas& schemas, StateId to);
// By bounds; those of numbers with fractions must be whole.
StateId number_states(AutomatonBuilder& builder, const Schemas& schemas, bool integer, StateId to);

// The expression of a format, which holds for the whole string. Error{unsupported} for one that is not known.
std::string_view expression_of_format(std::string_view format, const std::string& pointer);

}  // namespace accelerate::decoding::constraint
