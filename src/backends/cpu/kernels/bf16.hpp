// Weights in bf16: two neighbouring input features of a column share a word, the first in its low half. Where the
// processor multiplies bf16, inputs are rounded to it too; elsewhere weights are widened (widened.hpp).

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

// To nearest, ties to even.
inline uint32_t bf16_of(float value) {
  const uint32_t bits = __builtin_bit_cast(uint32_t, value);
  const uint32_t rounded = (bits + 0x7fffU + (bits >> 16 & 1U)) >> 16;
  return (bits & 0x7fffffffU) > 0x7f800000U ? bits >> 16 | 0x40U : rounded;
}

constexpr int64_t kBf16SmallestTask = kWordStep > 1 ? 3000000 : 2 * kSmallestTask;

inline int64_t bf16_words(int64_t in_features) { return round_up((in_features + 1) / 2, kWordStep); }
int64_t bf16_panel_bytes(int64_t in_features) { return bf16_words(in_features) * kPanel * 4; }

#if defined(ACCELERATE_HAS_BF16_DOT)
int64_t bf16_encoded_bytes(int64_t in_features) { return encoded_stride(bf16_words(in_features) * 4); }
void bf16_encode(const EncodeRows& e) {
  for (int64_t r = 0; r < e.rows; ++r) {
    const float* from = e.x + r * e.x_stride;
    auto* to = reinterpret_cast<uint16_t*>(e.out + r * e.out_stride);
    // The stride leaves room for a last whole vector of zeros.
    for_vectors(e.width, [&](int64_t i, auto read, auto) { store_bf16(to + i, read(from + i)); });
    for (int64_t i = round_up(e.width, kLanes); i < 2 * bf16_words(e.width); ++i) to[i] = 0;
  }
}
#else
int64_t bf16_encoded_bytes(int64_t in_features) { return widened_encoded_bytes(in_features); }
void bf16_encode(const EncodeRows& e) { widened_encode(e); }
#endif

void bf16_pack(const PackPanel& p) {
  auto* panel = static_cast<uint32_t*>(p.panel);
  for (int64_t k = 0; k < p.in_features; k += kMostRun) {
    const int64_t count = p.in_features - k < kMostRun ? p.in_features - k : kMostRun;
    for_source_rows(p, k, count, [&](int64_t column, const float* values) {
      uint32_t words[kMostRun / 2];
      const int64_t pairs = (count + 1) / 2;  // what follows the last number is 0
      for (int64_t i = 0; i < pairs; ++i) words[i] = bf16_of(values[2 * i]) | bf16_of(values[2 * i + 1]) << 16;
      for (int64_t i = 0; i < pairs; ++i) panel[(k / 2 + i) * kPanel + column] = words[i];
    });
  }
}

void bf16_unpack(const void* panel, int64_t in_features, int64_t column, float* out) {
  const auto* words = static_cast<const uint32_t*>(panel) + column;
  for (int64_t k = 0; k < in_features; ++k) {
    const uint32_t word = words[k / 2 * kPanel];
    out[k] = __builtin_bit_cast(float, k % 2 == 0 ? word << 16 : word & 0xffff0000U);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
