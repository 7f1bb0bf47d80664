// Generation as JSON: the fields of the public structs under their names.
#pragma once

#include "accelerate/generation.hpp"
#include "core/json.hpp"

namespace accelerate::runtime {

// Error{invalid_input} naming an option that there is not, or whose value is of another kind.
GenerateOptions generate_options(const Json& json);
// {"text", "ids", "reason"} and what else was asked for.
Json to_json(const GeneratedText& text);
// First token, tokens a second, memory of keys and values.
Json to_json(const GenerationTimes& times);
// {"texts": [[{...}, ...], ...], "truncated": [...], "times": {...}}
Json to_json(const Generations& generations);

}  // namespace accelerate::runtime
