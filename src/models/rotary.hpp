// The rotary positions that a config asks for: `rope_theta` with `rope_scaling`, or newer, `rope_parameters`.
#pragma once

#include "checkpoint/config.hpp"
#include "graph/rotary.hpp"

namespace accelerate {

// By the kinds of Transformers (modeling_rope_utils.py): default, linear, dynamic, yarn (Peng et al. 2023), llama3,
// longrope (Ding et al. 2024). Of a head's values the first partial_rotary_factor are turned. Error{unsupported} naming
// another kind, Error{corrupted} naming a field that is missing or makes no sense.
RotaryRule rotary_rule(const Config& c, std::int64_t head_dim);

}  // namespace accelerate
