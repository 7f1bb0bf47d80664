// Random numbers by their place instead of by a state: a seed gives the same text on any number of threads and in any
// batch (Philox4x32-10, Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3").
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace accelerate::decoding {

// 128 random bits of a 64-bit key and a 128-bit counter, as the reference implementation (Random123) gives them.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// In [0, 1), 53 bits: for the token at `position` of the `sequence`-th text that is sampled under `seed`. `draw`
// numbers the values taken at one position (< 2^31).
double uniform(std::uint64_t seed, std::uint64_t sequence, std::uint32_t position, std::uint32_t draw = 0);

}  // namespace accelerate::decoding
