// Vectors of 8 floats, AVX2 + FMA + F16C.
#pragma once

#include <immintrin.h>
#include <stdint.h>  // NOLINT(modernize-deprecated-headers)

namespace accelerate::cpu::avx2 {
namespace {

using Vec = __m256;
constexpr int kLanes = 8;
constexpr int kPanelVectors = 2;  // a panel of 16 columns
constexpr int kTileRows = 6;      // 12 sums, 2 weights and a broadcast in 16 registers

inline Vec load(const float* p) { return _mm256_loadu_ps(p); }
inline void store(float* p, Vec v) { _mm256_storeu_ps(p, v); }
inline __m256i first(int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline Vec load_partial(const float* p, int64_t n) { return _mm256_maskload_ps(p, first(n)); }
inline void store_partial(float* p, Vec v, int64_t n) { _mm256_maskstore_ps(p, first(n), v); }
inline Vec set1(float value) { return _mm256_set1_ps(value); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm256_fmadd_ps(a, b, c); }
inline Vec maximum(Vec a, Vec b) { return _mm256_max_ps(a, b); }
inline Vec minimum(Vec a, Vec b) { return _mm256_min_ps(a, b); }
inline Vec absolute(Vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0F), a); }
inline Vec square_root(Vec a) { return _mm256_sqrt_ps(a); }
inline Vec if_less(Vec a, Vec b, Vec then, Vec otherwise) {
  return _mm256_blendv_ps(otherwise, then, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}
inline Vec copy_sign(Vec magnitude, Vec sign) {
  return _mm256_or_ps(magnitude, _mm256_and_ps(sign, _mm256_set1_ps(-0.0F)));
}
inline Vec shift_into_exponent(Vec a) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_castps_si256(a), 23)); }
// In each lane what lies kStride lanes further, or nearer.
template <int kStride>
inline Vec lanes_apart(Vec v) {
  return __builtin_shufflevector(v, v, 0 ^ kStride, 1 ^ kStride, 2 ^ kStride, 3 ^ kStride, 4 ^ kStride, 5 ^ kStride,
                                 6 ^ kStride, 7 ^ kStride);
}
inline float reduce_add(Vec a) {
  __m128 s = _mm_add_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_add_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_add_ss(s, _mm_movehdup_ps(s)));
}
inline float reduce_max(Vec a) {
  __m128 s = _mm_max_ps(_mm256_castps256_ps128(a), _mm256_extractf128_ps(a, 1));
  s = _mm_max_ps(s, _mm_movehl_ps(s, s));
  return _mm_cvtss_f32(_mm_max_ss(s, _mm_movehdup_ps(s)));
}
inline Vec load_bf16(const uint16_t* p) {
  const __m128i half = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16));
}
inline Vec load_f16(const uint16_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline Vec where_seen(const uint8_t* mask, Vec seen, Vec hidden) {
  const __m256i wide = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(mask)));
  return _mm256_blendv_ps(seen, hidden, _mm256_castsi256_ps(_mm256_cmpeq_epi32(wide, _mm256_setzero_si256())));
}

// Of 32 bits: sums kept as __m256i, which is of 64, would not stay in registers (GCC 12).
typedef int32_t Int __attribute__((vector_size(32)));
inline Int load_int(const void* p) { return reinterpret_cast<Int>(_mm256_loadu_si256(static_cast<const __m256i*>(p))); }
inline Int set1_int(uint32_t value) { return reinterpret_cast<Int>(_mm256_set1_epi32(static_cast<int>(value))); }
inline Int zero_int() { return Int{}; }
inline Int add_int(Int a, Int b) { return a + b; }
inline Vec to_float(Int a) { return _mm256_cvtepi32_ps(reinterpret_cast<__m256i>(a)); }
// The low and the high bf16 of every 32 bits.
inline Vec widen_low(Int a) { return _mm256_castsi256_ps(_mm256_slli_epi32(reinterpret_cast<__m256i>(a), 16)); }
inline Vec widen_high(Int a) { return reinterpret_cast<Vec>(a & static_cast<int32_t>(0xffff0000U)); }
// The bytes of four vectors one after the other: numbers in [-128, 127], rounded to nearest.
inline Int to_bytes(Vec a, Vec b, Vec c, Vec d) {
  const __m256i first = _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b));
  const __m256i second = _mm256_packs_epi32(_mm256_cvtps_epi32(c), _mm256_cvtps_epi32(d));
  // Four of a, of b, of c, of d; then the next ones.
  const __m256i order = _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7);
  return reinterpret_cast<Int>(_mm256_permutevar8x32_epi32(_mm256_packs_epi16(first, second), order));
}
// sum + the four products of unsigned bytes of w and signed ones of x. The products of two neighbours are added in 16
// bits: inputs keep to 7 bits, so that two of 255 and -64 fit.
constexpr int kInputBits = 7;
inline Int dot(Int sum, Int w, Int x) {
  const __m256i pairs = _mm256_maddubs_epi16(reinterpret_cast<__m256i>(w), reinterpret_cast<__m256i>(x));
  return sum + reinterpret_cast<Int>(_mm256_madd_epi16(pairs, _mm256_set1_epi16(1)));
}

// rows[i][j] -> rows[j][i]
inline void transpose(Vec (&r)[8]) {
  Vec t[8];
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = _mm256_shuffle_ps(t[i], t[i + 2], 0x44);
    r[i + 1] = _mm256_shuffle_ps(t[i], t[i + 2], 0xee);
    r[i + 2] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0x44);
    r[i + 3] = _mm256_shuffle_ps(t[i + 1], t[i + 3], 0xee);
  }
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x20);
    t[4 + c] = _mm256_permute2f128_ps(r[c], r[4 + c], 0x31);
  }
  for (int i = 0; i < 8; ++i) r[i] = t[i];
}

}  // namespace
}  // namespace accelerate::cpu::avx2
