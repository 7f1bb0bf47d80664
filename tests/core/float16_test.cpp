#include "core/float16.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace accelerate {
namespace {

// What the bits mean by IEEE 754 (5 bits of exponent, 10 of fraction), computed in double where all of it is exact.
double value_of_f16(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31;
  const double fraction = bits & 1023;
  const double sign = (bits & 0x8000) != 0 ? -1.0 : 1.0;
  if (exponent == 31) {
    return fraction != 0 ? std::numeric_limits<double>::quiet_NaN() : sign * std::numeric_limits<double>::infinity();
  }
  return sign * (exponent == 0 ? std::ldexp(fraction, -24) : std::ldexp(1024 + fraction, exponent - 25));
}

bool is_nan(std::uint16_t bits, std::uint16_t infinity) { return (bits & 0x7fff) > infinity; }

TEST(Float16, EveryHalfWidensToItsValue) {
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    const float wide = f16_to_f32(bits);
    if (is_nan(bits, 0x7c00)) {
      EXPECT_TRUE(std::isnan(wide)) << bits;
    } else {
      ASSERT_EQ(static_cast<double>(wide), value_of_f16(bits)) << bits;
      ASSERT_EQ(std::signbit(wide), (bits & 0x8000) != 0) << bits;
    }
  }
}

TEST(Float16, EveryHalfComesBackUnchanged) {
  for (std::uint32_t i = 0; i < 65536; ++i) {
    const auto bits = static_cast<std::uint16_t>(i);
    if (is_nan(bits, 0x7c00)) {
      EXPECT_TRUE(is_nan(f32_to_f16(f16_to_f32(bits)), 0x7c00)) << bits;
    } else {
      ASSERT_EQ(f32_to_f16(f16_to_f32(bits)), bits);
    }
    if (is_nan(bits, 0x7f80)) {
      EXPECT_TRUE(is_nan(f32_to_bf16(bf16_to_f32(bits)), 0x7f80)) << bits;
    } else {
      ASSERT_EQ(f32_to_bf16(bf16_to_f32(bits)), bits);
    }
  }
}

// Around every border between two neighbours: the midpoint goes to the even one, a hair to either side to the nearer.
template <typename Widen, typename Narrow>
void check_rounding(std::uint16_t largest, Widen widen, Narrow narrow) {
  for (std::uint32_t i = 0; i < largest; ++i) {
    const auto low = static_cast<std::uint16_t>(i);
    const auto high = static_cast<std::uint16_t>(i + 1);
    const double exact = (static_cast<double>(widen(low)) + static_cast<double>(widen(high))) / 2;
    const auto middle = static_cast<float>(exact);
    ASSERT_EQ(static_cast<double>(middle), exact) << "the midpoint is a float";
    const std::uint16_t even = (low & 1) == 0 ? low : high;
    for (const int sign : {0, 0x8000}) {
      const float flip = sign == 0 ? 1.0F : -1.0F;
      ASSERT_EQ(narrow(flip * middle), even | sign) << low;
      ASSERT_EQ(narrow(flip * std::nextafter(middle, 0.0F)), low | sign) << low;
      ASSERT_EQ(narrow(flip * std::nextafter(middle, INFINITY)), high | sign) << low;
    }
  }
}

TEST(Float16, HalvesRoundToNearestEven) { check_rounding(0x7bff, f16_to_f32, f32_to_f16); }

TEST(Float16, BrainFloatsRoundToNearestEven) { check_rounding(0x7f7f, bf16_to_f32, f32_to_bf16); }

TEST(Float16, TooLargeBecomesInfinityFromHalfwayOn) {
  EXPECT_EQ(f32_to_f16(65504.0F), 0x7bff);
  EXPECT_EQ(f32_to_f16(std::nextafter(65520.0F, 0.0F)), 0x7bff);
  EXPECT_EQ(f32_to_f16(65520.0F), 0x7c00);
  EXPECT_EQ(f32_to_f16(-1e30F), 0xfc00);
  EXPECT_EQ(f32_to_f16(INFINITY), 0x7c00);
  EXPECT_EQ(f32_to_bf16(std::numeric_limits<float>::max()), 0x7f80);
  EXPECT_EQ(f32_to_bf16(-INFINITY), 0xff80);
}

TEST(Float16, TooSmallBecomesASignedZero) {
  EXPECT_EQ(f32_to_f16(0x1p-25F), 0);
  EXPECT_EQ(f32_to_f16(std::nextafter(0x1p-25F, 1.0F)), 1);
  EXPECT_EQ(f32_to_f16(-1e-30F), 0x8000);
  EXPECT_EQ(f32_to_f16(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(Float16, NansStayNansWithTheirSign) {
  for (const std::uint32_t bits : {0x7f800001U, 0x7fc00000U, 0x7fffffffU, 0xff800001U, 0xffffffffU}) {
    const float nan = std::bit_cast<float>(bits);
    EXPECT_TRUE(is_nan(f32_to_f16(nan), 0x7c00)) << bits;
    EXPECT_TRUE(is_nan(f32_to_bf16(nan), 0x7f80)) << bits;
    EXPECT_EQ(f32_to_f16(nan) >> 15, bits >> 31);
    EXPECT_EQ(f32_to_bf16(nan) >> 15, bits >> 31);
  }
}

// The compiler's own type, where it has one, on floats of every size.
#if defined(__aarch64__)
using CompilersHalf = __fp16;  // gcc 12 knows _Float16 there in C only
#elif defined(__FLT16_MANT_DIG__)
using CompilersHalf = _Float16;
#endif
#if defined(__aarch64__) || defined(__FLT16_MANT_DIG__)
TEST(Float16, AgreesWithTheCompilersHalf) {
  std::mt19937 random(7);
  for (int i = 0; i < 2'000'000; ++i) {
    const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
    if (std::isnan(value)) continue;
    ASSERT_EQ(f32_to_f16(value), std::bit_cast<std::uint16_t>(static_cast<CompilersHalf>(value))) << value;
  }
}
#endif

}  // namespace
}  // namespace accelerate
