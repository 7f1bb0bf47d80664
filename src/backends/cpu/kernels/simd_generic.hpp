// Vectors of 4 floats by the compilers' vector extension: SSE2 on x86-64 ("portable"), NEON on AArch64.
// The file that includes it defines ACCELERATE_LEVEL.
#pragma once

#include <stdint.h>  // NOLINT(modernize-deprecated-headers)

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

typedef float Vec __attribute__((vector_size(16)));
typedef int32_t IntVec __attribute__((vector_size(16)));
typedef float UnalignedVec __attribute__((vector_size(16), aligned(4), may_alias));
constexpr int kLanes = 4;
constexpr int kPanelVectors = 4;  // a panel of 16 columns
#if defined(__aarch64__)
constexpr int kTileRows = 6;  // 24 sums, 4 weights and a broadcast in 32 registers
#else
constexpr int kTileRows = 2;  // 8 sums, 4 weights and a broadcast in 16 registers
#endif

inline Vec load(const float* p) { return *reinterpret_cast<const UnalignedVec*>(p); }
inline void store(float* p, Vec v) { *reinterpret_cast<UnalignedVec*>(p) = v; }
inline Vec load_partial(const float* p, int64_t n) {
  Vec v = {0, 0, 0, 0};
  for (int64_t i = 0; i < n; ++i) v[i] = p[i];
  return v;
}
inline void store_partial(float* p, Vec v, int64_t n) {
  for (int64_t i = 0; i < n; ++i) p[i] = v[i];
}
inline Vec set1(float value) { return Vec{value, value, value, value}; }
inline Vec fma(Vec a, Vec b, Vec c) { return a * b + c; }
inline Vec choose(IntVec condition, Vec then, Vec otherwise) {
  return reinterpret_cast<Vec>((condition & reinterpret_cast<IntVec>(then)) |
                               (~condition & reinterpret_cast<IntVec>(otherwise)));
}
inline Vec maximum(Vec a, Vec b) { return choose(a > b, a, b); }
inline Vec minimum(Vec a, Vec b) { return choose(a < b, a, b); }
inline Vec absolute(Vec a) { return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(a) & 0x7fffffff); }
inline Vec square_root(Vec a) {
  return Vec{__builtin_sqrtf(a[0]), __builtin_sqrtf(a[1]), __builtin_sqrtf(a[2]), __builtin_sqrtf(a[3])};
}
inline Vec if_less(Vec a, Vec b, Vec then, Vec otherwise) { return choose(a < b, then, otherwise); }
inline Vec copy_sign(Vec magnitude, Vec sign) {
  return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(magnitude) |
                               (reinterpret_cast<IntVec>(sign) & static_cast<int32_t>(0x80000000U)));
}
inline Vec shift_into_exponent(Vec a) {
  typedef uint32_t Bits __attribute__((vector_size(16)));
  return reinterpret_cast<Vec>(reinterpret_cast<Bits>(a) << 23);
}
// In each lane what lies kStride lanes further, or nearer.
template <int kStride>
inline Vec lanes_apart(Vec v) {
  return __builtin_shufflevector(v, v, 0 ^ kStride, 1 ^ kStride, 2 ^ kStride, 3 ^ kStride);
}
inline float reduce_add(Vec a) { return (a[0] + a[2]) + (a[1] + a[3]); }
inline float reduce_max(Vec a) {
  const float x = a[0] > a[1] ? a[0] : a[1];
  const float y = a[2] > a[3] ? a[2] : a[3];
  return x > y ? x : y;
}
inline Vec load_bf16(const uint16_t* p) {
  Vec v;
  for (int i = 0; i < 4; ++i) v[i] = __builtin_bit_cast(float, static_cast<uint32_t>(p[i]) << 16);
  return v;
}
#if defined(__aarch64__)
inline Vec load_f16(const uint16_t* p) {
  typedef __fp16 Halves __attribute__((vector_size(8), aligned(2), may_alias));
  return __builtin_convertvector(*reinterpret_cast<const Halves*>(p), Vec);
}
#else
inline Vec load_f16(const uint16_t* p) {
  const IntVec half = {p[0], p[1], p[2], p[3]};
  const IntVec magnitude = half & 0x7fff;
  const Vec normal = reinterpret_cast<Vec>((magnitude << 13) + (112 << 23));
  const Vec small = __builtin_convertvector(magnitude, Vec) * 0x1p-24F;  // right where others take subnormals as 0 too
  const Vec beyond = reinterpret_cast<Vec>(magnitude << 13 | 0x7f800000);
  const Vec found = choose(magnitude >= 0x7c00, beyond, choose(magnitude < 0x400, small, normal));
  return reinterpret_cast<Vec>(reinterpret_cast<IntVec>(found) | (half & 0x8000) << 16);
}
#endif
inline Vec where_seen(const uint8_t* mask, Vec seen, Vec hidden) {
  const IntVec wide = {mask[0], mask[1], mask[2], mask[3]};
  return choose(wide != 0, seen, hidden);
}

typedef IntVec Int;
typedef int32_t UnalignedInt __attribute__((vector_size(16), aligned(1), may_alias));
inline Int load_int(const void* p) { return *static_cast<const UnalignedInt*>(p); }
inline Int set1_int(uint32_t value) {
  const int32_t v = static_cast<int32_t>(value);
  return Int{v, v, v, v};
}
inline Int zero_int() { return Int{0, 0, 0, 0}; }
inline Int add_int(Int a, Int b) { return a + b; }
inline Vec to_float(Int a) { return __builtin_convertvector(a, Vec); }
// The low and the high bf16 of every 32 bits.
inline Vec widen_low(Int a) {
  typedef uint32_t Bits __attribute__((vector_size(16)));
  return reinterpret_cast<Vec>(reinterpret_cast<Bits>(a) << 16);
}
inline Vec widen_high(Int a) { return reinterpret_cast<Vec>(a & static_cast<int32_t>(0xffff0000U)); }
// The bytes of four vectors one after the other: numbers in [-128, 127], rounded to nearest.
inline Int to_bytes(Vec a, Vec b, Vec c, Vec d) {
  const Vec vectors[] = {a, b, c, d};
  int8_t bytes[16];
  for (int i = 0; i < 16; ++i) {
    const float given = vectors[i / 4][i % 4], most = given < 127 ? given : 127;
    const float value = most > -128 ? most : -128;  // what is no number too
    bytes[i] = static_cast<int8_t>(value < 0 ? value - 0.5F : value + 0.5F);
  }
  return load_int(bytes);
}
constexpr int kInputBits = 8;
// sum + the four products of unsigned bytes of w and signed ones of x.
inline Int dot(Int sum, Int w, Int x) {
  typedef int16_t Half __attribute__((vector_size(16)));
  // Bytes 1 and 3, and 0 and 2, of every 32 bits as 16-bit numbers: their products fit in 16 bits, not their sums.
  const Half w_odd = reinterpret_cast<Half>(w) >> 8 & 0xff, w_even = reinterpret_cast<Half>(w) & 0xff;
  const Half x_odd = reinterpret_cast<Half>(x) >> 8, x_even = reinterpret_cast<Half>(x) << 8 >> 8;
  const Int odd = reinterpret_cast<Int>(x_odd * w_odd), even = reinterpret_cast<Int>(x_even * w_even);
  return sum + (odd >> 16) + (odd << 16 >> 16) + (even >> 16) + (even << 16 >> 16);
}

// rows[i][j] -> rows[j][i]
inline void transpose(Vec (&r)[4]) {
  Vec t[4];
  for (int i = 0; i < 4; ++i) t[i] = Vec{r[0][i], r[1][i], r[2][i], r[3][i]};
  for (int i = 0; i < 4; ++i) r[i] = t[i];
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
