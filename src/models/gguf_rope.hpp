// How a GGUF file says that positions are scaled, as the field rope_scaling of config.json.
#pragma once

#include "checkpoint/config.hpp"
#include "checkpoint/gguf.hpp"

namespace accelerate {

// Sets rope_scaling where positions are scaled: linear and yarn from the fields rope.scaling.* of `fields`, the
// architecture's section; llama3 from the tensor rope_freqs, which holds one divisor for each frequency; longrope from
// the tensors rope_factors_long and rope_factors_short. Error{unsupported} naming another type, Error{corrupted} when
// the divisors are not those of a llama3 scaling.
void add_rope_scaling(const GgufFile& file, const Config& fields, Json& config);

}  // namespace accelerate
