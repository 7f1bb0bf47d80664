#include "decoding/random.hpp"

namespace accelerate::decoding {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr int kRounds = 10;
  for (int round = 0; round < kRounds; ++round) {
    const std::uint64_t first = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t second = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {static_cast<std::uint32_t>(second >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(second),
               static_cast<std::uint32_t>(first >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(first)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

double uniform(std::uint64_t seed, std::uint64_t sequence, std::uint32_t position, std::uint32_t draw) {
  // A block holds the values of two draws.
  const std::array<std::uint32_t, 4> bits =
      philox({draw / 2, position, static_cast<std::uint32_t>(sequence), static_cast<std::uint32_t>(sequence >> 32)},
             {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)});
  const std::size_t half = draw % 2 == 0 ? 0 : 2;
  const std::uint64_t word = std::uint64_t{bits[half]} << 32 | bits[half + 1];
  return static_cast<double>(word >> 11) * 0x1.0p-53;
}

}  // namespace accelerate::decoding
