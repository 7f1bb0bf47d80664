// What the machine can do at most, by doing nothing else: the yardstick of every share of the limit.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

int64_t peak_loop(int64_t rounds) {
  constexpr int kChains = 12;  // more than latency times throughput of any processor so far
  Vec sums[kChains];
  Vec factor = set1(0.999999F), addend = set1(1e-6F);
  asm volatile("" : "+" ACCELERATE_VECTOR_REGISTER(factor), "+" ACCELERATE_VECTOR_REGISTER(addend));
  for (int c = 0; c < kChains; ++c) sums[c] = set1(static_cast<float>(c));
  for (int64_t r = 0; r < rounds; ++r) {
    ACCELERATE_UNROLL for (int c = 0; c < kChains; ++c) sums[c] = fma(sums[c], factor, addend);
  }
  for (int c = 1; c < kChains; ++c) sums[0] = sums[0] + sums[c];
  asm volatile("" : : ACCELERATE_VECTOR_REGISTER(sums[0]));
  return rounds * kChains * kLanes * 2;
}

#if defined(ACCELERATE_HAS_MATRIX_UNIT)
int64_t bf16_peak_loop(int64_t rounds) { return multiply_tiles<false>(rounds, 0x3f803f80U); }
int64_t int8_peak_loop(int64_t rounds) { return multiply_tiles<true>(rounds, 0x01020301U); }
#else
int64_t bf16_peak_loop(int64_t rounds) {
#if defined(ACCELERATE_HAS_BF16_DOT)
  constexpr int kChains = 12;
  Vec sums[kChains];
  Int factor = set1_int(0x3f7f3f7fU);
  asm volatile("" : "+" ACCELERATE_VECTOR_REGISTER(factor));
  for (int c = 0; c < kChains; ++c) sums[c] = set1(static_cast<float>(c));
  for (int64_t r = 0; r < rounds; ++r) {
    ACCELERATE_UNROLL for (int c = 0; c < kChains; ++c) sums[c] = dot_bf16(sums[c], factor, factor);
  }
  for (int c = 1; c < kChains; ++c) sums[0] = sums[0] + sums[c];
  asm volatile("" : : ACCELERATE_VECTOR_REGISTER(sums[0]));
  return rounds * kChains * kLanes * 4;
#else
  return peak_loop(rounds);  // weights are widened: the products are f32's
#endif
}

int64_t int8_peak_loop(int64_t rounds) {
  constexpr int kChains = 12;
  Int sums[kChains];
  Int factor = set1_int(0x01020301U);
  asm volatile("" : "+" ACCELERATE_VECTOR_REGISTER(factor));
  for (int c = 0; c < kChains; ++c) sums[c] = set1_int(static_cast<uint32_t>(c));
  for (int64_t r = 0; r < rounds; ++r) {
    ACCELERATE_UNROLL for (int c = 0; c < kChains; ++c) {
      Int weights = factor;  // anew for each: where a product is several instructions, the first must not be shared
      asm volatile("" : "+" ACCELERATE_VECTOR_REGISTER(weights));
      sums[c] = dot(sums[c], weights, factor);
    }
  }
  for (int c = 1; c < kChains; ++c) sums[0] = add_int(sums[0], sums[c]);
  asm volatile("" : : ACCELERATE_VECTOR_REGISTER(sums[0]));
  return rounds * kChains * kLanes * 8;
}

#endif

float read(const float* data, int64_t count) {
  Vec sums[8];
  for (int u = 0; u < 8; ++u) sums[u] = set1(0.0F);
  for (int64_t i = 0; i + 8 * kLanes <= count; i += 8 * kLanes) {
    ACCELERATE_UNROLL for (int u = 0; u < 8; ++u) sums[u] = sums[u] + load(data + i + u * kLanes);
  }
  for (int u = 1; u < 8; ++u) sums[0] = sums[0] + sums[u];
  return reduce_add(sums[0]);
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
