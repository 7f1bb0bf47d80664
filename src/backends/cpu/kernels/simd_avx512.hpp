// Vectors of 16 floats: AVX-512 F, BW, DQ, VL, and what VNNI and BF16 add where the file is compiled for them.
// The file that includes it defines ACCELERATE_LEVEL.
#pragma once

#include <immintrin.h>
#include <stdint.h>  // NOLINT(modernize-deprecated-headers)

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using Vec = __m512;
constexpr int kLanes = 16;
constexpr int kPanelVectors = 2;  // a panel of 32 columns
constexpr int kTileRows = 10;  // 20 sums; with 24, GCC keeps row pointers in vector registers: 94.5 instead of 98.5 %

inline Vec load(const float* p) { return _mm512_loadu_ps(p); }
inline void store(float* p, Vec v) { _mm512_storeu_ps(p, v); }
inline __mmask16 first(int64_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
inline Vec load_partial(const float* p, int64_t n) { return _mm512_maskz_loadu_ps(first(n), p); }
inline void store_partial(float* p, Vec v, int64_t n) { _mm512_mask_storeu_ps(p, first(n), v); }
inline Vec set1(float value) { return _mm512_set1_ps(value); }
inline Vec fma(Vec a, Vec b, Vec c) { return _mm512_fmadd_ps(a, b, c); }
inline Vec maximum(Vec a, Vec b) { return _mm512_max_ps(a, b); }
inline Vec minimum(Vec a, Vec b) { return _mm512_min_ps(a, b); }
inline Vec absolute(Vec a) { return _mm512_abs_ps(a); }
inline Vec square_root(Vec a) { return _mm512_sqrt_ps(a); }
inline Vec if_less(Vec a, Vec b, Vec then, Vec otherwise) {
  return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), otherwise, then);
}
inline Vec copy_sign(Vec magnitude, Vec sign) {
  return _mm512_or_ps(magnitude, _mm512_and_ps(sign, _mm512_set1_ps(-0.0F)));
}
inline Vec shift_into_exponent(Vec a) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_castps_si512(a), 23)); }
#define ACCELERATE_HAS_LOOKUP 1
// In each lane the one of 16 floats that the low bits of `place` say.
inline Vec look_up(const float* table, Vec place) {
  return _mm512_permutexvar_ps(_mm512_castps_si512(place), _mm512_load_ps(table));
}
// In each lane what lies kStride lanes further, or nearer.
template <int kStride>
inline Vec lanes_apart(Vec v) {
  return __builtin_shufflevector(v, v, 0 ^ kStride, 1 ^ kStride, 2 ^ kStride, 3 ^ kStride, 4 ^ kStride, 5 ^ kStride,
                                 6 ^ kStride, 7 ^ kStride, 8 ^ kStride, 9 ^ kStride, 10 ^ kStride, 11 ^ kStride,
                                 12 ^ kStride, 13 ^ kStride, 14 ^ kStride, 15 ^ kStride);
}
inline float reduce_add(Vec a) { return _mm512_reduce_add_ps(a); }
inline float reduce_max(Vec a) { return _mm512_reduce_max_ps(a); }
inline Vec load_bf16(const uint16_t* p) {
  const __m256i half = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16));
}
inline Vec load_f16(const uint16_t* p) {
  return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
}
// `seen` where the byte is not 0.
inline Vec where_seen(const uint8_t* mask, Vec seen, Vec hidden) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(mask));
  return _mm512_mask_blend_ps(_mm_test_epi8_mask(bytes, bytes), hidden, seen);
}

// Of 32 bits: sums kept as __m512i, which is of 64, would not stay in registers (GCC 12).
typedef int32_t Int __attribute__((vector_size(64)));
inline Int load_int(const void* p) { return reinterpret_cast<Int>(_mm512_loadu_si512(p)); }
inline Int set1_int(uint32_t value) { return reinterpret_cast<Int>(_mm512_set1_epi32(static_cast<int>(value))); }
inline Int zero_int() { return Int{}; }
inline Int add_int(Int a, Int b) { return a + b; }
inline Vec to_float(Int a) { return _mm512_cvtepi32_ps(reinterpret_cast<__m512i>(a)); }
// The low and the high bf16 of every 32 bits.
inline Vec widen_low(Int a) { return _mm512_castsi512_ps(_mm512_slli_epi32(reinterpret_cast<__m512i>(a), 16)); }
inline Vec widen_high(Int a) { return reinterpret_cast<Vec>(a & static_cast<int32_t>(0xffff0000U)); }
// The bytes of four vectors one after the other: numbers in [-128, 127], rounded to nearest.
inline Int to_bytes(Vec a, Vec b, Vec c, Vec d) {
  const __m512i first = _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b));
  const __m512i second = _mm512_packs_epi32(_mm512_cvtps_epi32(c), _mm512_cvtps_epi32(d));
  // Four of a, of b, of c, of d; then the next ones.
  const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  return reinterpret_cast<Int>(_mm512_permutexvar_epi32(order, _mm512_packs_epi16(first, second)));
}
// sum + the four products of unsigned bytes of w and signed ones of x.
#if defined(__AVX512VNNI__)
constexpr int kInputBits = 8;
inline Int dot(Int sum, Int w, Int x) {
  return reinterpret_cast<Int>(
      _mm512_dpbusd_epi32(reinterpret_cast<__m512i>(sum), reinterpret_cast<__m512i>(w), reinterpret_cast<__m512i>(x)));
}
#else
constexpr int kInputBits = 7;  // two products of 255 and -64 stay within 16 bits
inline Int dot(Int sum, Int w, Int x) {
  const __m512i pairs = _mm512_maddubs_epi16(reinterpret_cast<__m512i>(w), reinterpret_cast<__m512i>(x));
  return sum + reinterpret_cast<Int>(_mm512_madd_epi16(pairs, _mm512_set1_epi16(1)));
}
#endif
#if defined(__AVX512BF16__)
#define ACCELERATE_HAS_BF16_DOT 1
// sum + the two products of bf16, subnormal ones taken as 0.
inline Vec dot_bf16(Vec sum, Int x, Int w) {
  return _mm512_dpbf16_ps(sum, __builtin_bit_cast(__m512bh, x), __builtin_bit_cast(__m512bh, w));
}
inline void store_bf16(uint16_t* p, Vec v) {
  const __m256bh narrow = _mm512_cvtneps_pbh(v);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), __builtin_bit_cast(__m256i, narrow));
}
// Words of two bf16: neighbours of a, then of b.
inline Vec neighbours_in_bf16(Vec a, Vec b) { return __builtin_bit_cast(Vec, _mm512_cvtne2ps_pbh(b, a)); }
// a[i] and b[i] as the low and the high bf16 of a word.
inline Vec pairs_in_bf16(Vec a, Vec b) {
  alignas(64) static constexpr uint16_t kOrder[32] = {0, 16, 1, 17, 2,  18, 3,  19, 4,  20, 5,  21, 6,  22, 7,  23,
                                                      8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31};
  const __m512i one_behind_the_other = __builtin_bit_cast(__m512i, neighbours_in_bf16(a, b));
  return __builtin_bit_cast(Vec, _mm512_permutexvar_epi16(_mm512_load_si512(kOrder), one_behind_the_other));
}
#endif

// rows[i][j] -> rows[j][i]
inline void transpose(Vec (&r)[16]) {
  Vec t[16];
#define ACCELERATE_PAIR(i)                     \
  t[i] = _mm512_unpacklo_ps(r[i], r[(i) + 1]); \
  t[(i) + 1] = _mm512_unpackhi_ps(r[i], r[(i) + 1]);
  ACCELERATE_PAIR(0)
  ACCELERATE_PAIR(2)
  ACCELERATE_PAIR(4)
  ACCELERATE_PAIR(6)
  ACCELERATE_PAIR(8)
  ACCELERATE_PAIR(10)
  ACCELERATE_PAIR(12)
  ACCELERATE_PAIR(14)
#undef ACCELERATE_PAIR
#define ACCELERATE_QUAD(i)                                                                                       \
  r[i] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[(i) + 2])));             \
  r[(i) + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[i]), _mm512_castps_pd(t[(i) + 2])));       \
  r[(i) + 2] = _mm512_castpd_ps(_mm512_unpacklo_pd(_mm512_castps_pd(t[(i) + 1]), _mm512_castps_pd(t[(i) + 3]))); \
  r[(i) + 3] = _mm512_castpd_ps(_mm512_unpackhi_pd(_mm512_castps_pd(t[(i) + 1]), _mm512_castps_pd(t[(i) + 3])));
  ACCELERATE_QUAD(0)
  ACCELERATE_QUAD(4)
  ACCELERATE_QUAD(8)
  ACCELERATE_QUAD(12)
#undef ACCELERATE_QUAD
  // r[4 g + c] now holds, in each of its four 128-bit lanes l, column 4 l + c of the rows 4 g to 4 g + 3.
  for (int c = 0; c < 4; ++c) {
    t[c] = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88);
    t[4 + c] = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
    t[8 + c] = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd);
    t[12 + c] = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
  }
  for (int c = 0; c < 4; ++c) {
    r[c] = _mm512_shuffle_f32x4(t[c], t[4 + c], 0x88);
    r[8 + c] = _mm512_shuffle_f32x4(t[c], t[4 + c], 0xdd);
    r[4 + c] = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0x88);
    r[12 + c] = _mm512_shuffle_f32x4(t[8 + c], t[12 + c], 0xdd);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
