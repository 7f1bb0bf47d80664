// Rotary embedding against f64, at every level this machine has.
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using RotaryTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, RotaryTest, ::testing::ValuesIn(tested_levels()), level_name);

TEST_P(RotaryTest, TurnsPairs) {
  for (const bool interleaved : {false, true}) {
    for (const std::int64_t rotary_dim : {2, 6, 16, 34}) {
      const std::int64_t heads = 3, head_dim = 34, rows = 70, half = rotary_dim / 2;
      ThreadPool pool(2);
      const Matrix start = Matrix::random(rows, heads * head_dim, 1, 5);
      const Matrix cosine = Matrix::random(9, half, 2), sine = Matrix::random(9, half, 3);
      std::vector<std::int64_t> positions;
      for (std::int64_t r = 0; r < rows; ++r) positions.push_back(r * 5 % 9);
      Matrix x = start;
      kernels().rotary(pool, {.x = x,
                              .rows = rows,
                              .heads = heads,
                              .head_dim = head_dim,
                              .rotary_dim = rotary_dim,
                              .interleaved = interleaved,
                              .cosine = cosine.values.data(),
                              .sine = sine.values.data(),
                              .positions = positions.data()});
      for (std::int64_t r = 0; r + 1 < rows; ++r) {
        for (std::int64_t c = x.width; c < x.stride; ++c) x.values[r * x.stride + c] = kUntouched;
      }
      EXPECT_TRUE(
          agrees(x,
                 [&](std::int64_t r, std::int64_t c) -> Expected {
                   const std::int64_t d = c % head_dim;
                   const auto at = [&](std::int64_t index) { return static_cast<double>(start.at(r, c - d + index)); };
                   if (d >= rotary_dim) return {at(d), 0};
                   const bool second = interleaved ? d % 2 == 1 : d >= half;
                   const std::int64_t pair = interleaved ? d / 2 : d % half;
                   const std::int64_t other = interleaved ? d ^ 1 : (second ? d - half : d + half);
                   const auto angle = [&](const Matrix& m) {
                     return static_cast<double>(m.at(positions[static_cast<std::size_t>(r)], pair));
                   };
                   const double value = at(d) * angle(cosine) + (second ? 1 : -1) * at(other) * angle(sine);
                   return {value, 3 * kEpsilon * (std::abs(at(d) * angle(cosine)) + std::abs(at(other) * angle(sine)))};
                 }))
          << (interleaved ? "interleaved " : "halves ") << rotary_dim;
    }
  }
}

}  // namespace
}  // namespace accelerate::cpu::testing
