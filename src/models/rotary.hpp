// The rotary positions that a config asks for: `rope_theta` with `rope_scaling`, or newer, `rope_parameters`.
#pragma once

#include "checkpoint/config.hpp"
#include "graph/rotary.hpp"

namespace accelerate {

// What a config says of itself where its fields do not.
struct RotaryDefaults {
  double theta = 10000;
  double part = 1;  // of a head, partial_rotary_factor
};

// By the kinds of Transformers (modeling_rope_utils.py): default, linear, dynamic, yarn (Peng et al. 2023), llama3,
// longrope (Ding et al. 2024). Of a head's values the first partial_rotary_factor are turned. Error{unsupported} naming
// another kind, Error{corrupted} naming a field that is missing or makes no sense.
RotaryRule rotary_rule(const Config& c, std::int64_t head_dim, const RotaryDefaults& defaults = {});
// Of one kind of layers, "sliding_attention": where `rope_parameters` has an object for each kind, the fields of that.
RotaryRule rotary_rule(const Config& c, std::int64_t head_dim, std::string_view layers, const RotaryDefaults& defaults);

}  // namespace accelerate
