// Products over packed weights against f64, at every level this machine has.
#include <algorithm>
#include <atomic>

#include "core/float16.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using LinearTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, LinearTest, ::testing::ValuesIn(tested_levels()), level_name);

struct Case {
  std::int64_t rows, in, out;
  bool bias = false;
  Activation activation = Activation::none;
  bool residual = false;
  bool gated = false;
  std::int64_t gap = 0;
  int threads = 1;
  Precision precision = Precision::f32;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.rows << " x " << c.in << " x " << c.out << (c.bias ? " bias" : "") << " activation "
             << static_cast<int>(c.activation) << (c.residual ? " residual" : "") << (c.gated ? " gated" : "")
             << " gap " << c.gap << " threads " << c.threads << " " << name_of(c.precision);
}

// Groups of input features that share a scale in int8, and the steps between the least and the largest input.
struct Steps {
  std::int64_t group = 64;
  double inputs = 127;
  Steps(Level level, std::int64_t in_features) {
    if (level == Level::avx2 || level == Level::avx512) return;
    inputs = 255;
    group = 128;
    for (const std::int64_t other : {192, 256}) {
      if (in_features % other <= in_features % group) group = other;
    }
  }
};

// Rows as int8 has them before it takes steps: in whole groups, of the four numbers whose places are a distance, twice
// and three times that apart each becomes half of their sum less itself; for one distance after the other.
Matrix mixed(const Matrix& x, Level level) {
  const std::int64_t group = Steps(level, x.width).group, whole = x.width / group * group;
  Matrix y = x;
  const std::int64_t distances[] = {group / 4, group == 192 ? 4 : group / 16, group == 192 ? 1 : group / 64};
  for (const std::int64_t digit : distances) {
    for (std::int64_t i = 0; i < x.rows * whole; ++i) {
      const std::int64_t r = i / whole, k = i % whole;
      if (k / digit % 4 != 0) continue;
      double half = 0;
      for (std::int64_t place = 0; place < 4; ++place) half += static_cast<double>(y.at(r, k + place * digit)) / 2;
      for (std::int64_t place = 0; place < 4; ++place) {
        float& value = y.at(r, k + place * digit);
        value = static_cast<float>(half - static_cast<double>(value));
      }
    }
  }
  return y;
}

// What a product rounds: its factors, in int8 mixed.
Matrix rounded_factor(const Matrix& x, Precision precision, Level level) {
  return precision == Precision::int8 ? mixed(x, level) : x;
}

// How far a product may read each input from where it is: to nearest bf16, or half a step of the row's group.
std::vector<double> input_errors(const Matrix& x, Precision precision, Level level) {
  std::vector<double> errors(static_cast<std::size_t>(x.rows * x.width), 0.0);
  const Steps steps(level, x.width);
  for (std::int64_t i = 0; i < x.rows * x.width && precision != Precision::f32; ++i) {
    const std::int64_t r = i / x.width, k = i % x.width;
    double& error = errors[static_cast<std::size_t>(i)];
    if (precision == Precision::bf16) error = std::abs(static_cast<double>(x.at(r, k))) * 0x1p-8;
    if (precision != Precision::int8) continue;
    if (k % steps.group != 0) {
      error = errors[static_cast<std::size_t>(i - 1)];
      continue;
    }
    double least = 0, most = 0;
    for (std::int64_t j = k; j < std::min(x.width, k + steps.group); ++j) {
      least = std::min(least, static_cast<double>(x.at(r, j)));
      most = std::max(most, static_cast<double>(x.at(r, j)));
    }
    error = 0.502 * (most - least) / steps.inputs;
  }
  return errors;
}

// How far the inputs of a product may be off, and the weights that they meet.
struct InputErrors {
  std::vector<double> errors;  // [rows, in]
  Matrix weights;
};

// x W^T + bias in f64 and the bound of its plain f32 evaluation, (K + 8) epsilon sum |x| |w|, and of what its inputs
// are rounded to.
Expected dot(const Matrix& x, const Matrix& w, const Matrix* bias, std::int64_t r, std::int64_t n,
             const InputErrors* rounding = nullptr) {
  double sum = 0, magnitude = 0, input_error = 0;
  for (std::int64_t k = 0; k < x.width; ++k) {
    const double weight = static_cast<double>(w.at(n, k)), term = static_cast<double>(x.at(r, k)) * weight;
    sum += term;
    magnitude += std::abs(term);
    if (rounding == nullptr) continue;
    input_error += rounding->errors[static_cast<std::size_t>(r * x.width + k)] *
                   std::abs(static_cast<double>(rounding->weights.at(n, k)));
  }
  if (bias != nullptr) {
    sum += static_cast<double>(bias->at(0, n));
    magnitude += std::abs(static_cast<double>(bias->at(0, n)));
  }
  return {sum, static_cast<double>(x.width + 8) * kEpsilon * magnitude + input_error};
}

// The weight as the packed matrix has it, each number near enough to what it was.
Matrix unpacked(const PackedMatrix& packed, const Matrix& w, Level level, Precision precision) {
  Matrix values(w.rows, w.width);
  const std::int64_t group = Steps(level, w.width).group;
  for (std::int64_t n = 0; n < w.rows; ++n) packed.read_row(n, &values.at(n, 0));
  const Matrix before = rounded_factor(w, precision, level);
  double half_step = 0;
  EXPECT_TRUE(agrees(rounded_factor(values, precision, level), [&](std::int64_t n, std::int64_t k) -> Expected {
    const double was = static_cast<double>(before.at(n, k));
    if (precision == Precision::f32) return {was, 0};
    if (precision == Precision::bf16) return {was, std::abs(was) * 0x1p-8};
    if (k % group == 0) half_step = 0;
    for (std::int64_t i = k; k % group == 0 && i < std::min(w.width, k + group); ++i) {
      half_step = std::max(half_step, std::abs(static_cast<double>(before.at(n, i))) * 0.501 / 127);
    }
    return {was, half_step};
  }));
  return values;
}

void check(const Kernels& kernels, const Case& c) {
  SCOPED_TRACE(::testing::PrintToString(c));
  ThreadPool pool(c.threads);
  const Matrix x = Matrix::random(c.rows, c.in, 1, c.gap);
  const Matrix original = Matrix::random(c.out, c.in, 2);
  const Matrix bias = Matrix::random(1, c.out, 3);
  const std::int64_t columns = c.gated ? c.out / 2 : c.out;
  const Matrix residual = Matrix::random(c.rows, columns, 4, c.gap);
  const WeightSource source{.data = original.values.data(), .out_features = c.out};
  const PackedMatrix packed = PackedMatrix::pack(pool, kernels.level(), c.in, {&source, 1},
                                                 {.precision = c.precision, .gated = c.gated, .done = {}});
  EXPECT_EQ(packed.bytes(), packed_bytes({&c.out, 1}, c.in, kernels.level(), packing_of(c.precision), c.gated));
  const Matrix w = unpacked(packed, original, kernels.level(), c.precision);
  const InputErrors rounding{
      input_errors(rounded_factor(x, c.precision, kernels.level()), c.precision, kernels.level()),
      rounded_factor(w, c.precision, kernels.level())};
  Matrix y(c.rows, columns, c.gap);
  const Epilogue epilogue{.bias = c.bias ? bias.values.data() : nullptr,
                          .activation = c.activation,
                          .residual = c.residual ? ConstRows(residual) : ConstRows{}};
  HostBuffer scratch(kernels.linear_scratch_bytes(c.rows, c.in, packing_of(c.precision)));
  kernels.linear(pool, c.rows, x, packed, epilogue, y, scratch.data());
  EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t n) {
    const Expected first = dot(x, w, c.bias ? &bias : nullptr, r, n, &rounding);
    // No activation here is steeper than 1.5 (hard_swish; relu_squared: 2 x).
    const double slope = c.activation == Activation::relu_squared ? 2 * (std::abs(first.value) + first.bound) + 1 : 1.5;
    Expected want{reference_activation(c.activation, first.value),
                  slope * first.bound + activation_bound(c.activation, first.value)};
    if (c.gated) {
      const Expected second = dot(x, w, c.bias ? &bias : nullptr, r, n + columns, &rounding);
      want.bound =
          want.bound * std::abs(second.value) + second.bound * std::abs(want.value) + want.bound * second.bound;
      want.value *= second.value;
    }
    if (c.residual) want.value += static_cast<double>(residual.at(r, n));
    want.bound += 2 * kEpsilon * std::abs(want.value);
    return want;
  }));
}

constexpr Precision kPrecisions[] = {Precision::f32, Precision::bf16, Precision::int8};

TEST_P(LinearTest, EveryRowCountAndOddShapes) {
  for (const Precision precision : kPrecisions) {
    for (std::int64_t rows = 1; rows <= 26; ++rows) {
      check(kernels(), {.rows = rows, .in = 37, .out = 33, .precision = precision});
    }
    for (const std::int64_t in : {1, 2, 3, 5, 64, 130}) {
      for (const std::int64_t out : {1, 3, 15, 16, 17, 31, 33, 48, 100}) {
        for (const std::int64_t rows : {1, 2, 5, 7, 13}) {
          check(kernels(), {.rows = rows, .in = in, .out = out, .bias = true, .precision = precision});
        }
      }
    }
  }
}

// Around the tiles of 16 and 32 rows that a matrix unit takes, and where each thread has rows to itself.
TEST_P(LinearTest, RowCountsAroundTilesAndThreads) {
  for (const Precision precision : kPrecisions) {
    for (const std::int64_t rows : {15, 16, 17, 31, 32, 33, 47, 48, 49, 95, 96, 97, 130}) {
      for (const int threads : {1, 2}) {
        const Case plain{.rows = rows, .in = 100, .out = 70, .bias = true, .threads = threads, .precision = precision};
        check(kernels(), plain);
        Case rest = plain;
        rest.residual = true, rest.activation = Activation::gelu_tanh, rest.gap = 3;
        check(kernels(), rest);
        rest.gated = true;
        check(kernels(), rest);
      }
    }
  }
}

// Depths around the groups of int8, where a scale or a start of the wrong group shows.
TEST_P(LinearTest, EveryDepth) {
  const auto is_near = [](std::int64_t in, std::int64_t group) { return in > group - 5 && in < group + 5; };
  for (const Precision precision : kPrecisions) {
    for (std::int64_t in = 1; in <= 400;
         in += in < 10 || is_near(in, 64) || is_near(in, 128) || is_near(in, 192) || is_near(in, 256) ? 1 : 9) {
      check(kernels(), {.rows = 6, .in = in, .out = 18, .residual = true, .precision = precision});
    }
    // Two whole groups of 256, and what is left of a third.
    for (const std::int64_t in : {512, 513, 514, 515, 516, 530}) {
      check(kernels(), {.rows = 6, .in = in, .out = 18, .residual = true, .precision = precision});
    }
  }
}

// A token's logits must not tell how many were computed beside it: guesses are checked several at a time.
TEST_P(LinearTest, ARowIsTheSameAmongOthers) {
  ThreadPool pool(1);
  const std::int64_t in = 130, out = 70, rows = 12;
  const Matrix w = Matrix::random(out, in, 2), x = Matrix::random(rows, in, 3);
  const WeightSource source{.data = w.values.data(), .out_features = out};
  for (const Precision precision : kPrecisions) {
    const PackedMatrix packed =
        PackedMatrix::pack(pool, GetParam(), in, {&source, 1}, {.precision = precision, .done = {}});
    HostBuffer scratch(kernels().linear_scratch_bytes(rows, in, packed.packing()));
    Matrix all(rows, out);
    kernels().linear(pool, rows, x, packed, {}, all, scratch.data());
    for (const std::int64_t few : {1, 2, 5}) {
      HostBuffer own(kernels().linear_scratch_bytes(few, in, packed.packing()));
      Matrix some(few, out);
      kernels().linear(pool, few, x, packed, {}, some, own.data());
      for (std::int64_t i = 0; i < few * out; ++i) {
        const float expected = all.at(i / out, i % out);
        ASSERT_NEAR(some.at(i / out, i % out), expected, 2e-5 * (1 + std::abs(expected)))
            << name_of(precision) << ", row " << i / out << " of " << few;
      }
    }
  }
}

// What is 0 must stay 0, and an input far out must not be lost.
TEST_P(LinearTest, ZerosAndOutliers) {
  ThreadPool pool(1);
  const Matrix w = Matrix::random(20, 200, 2);
  const WeightSource source{.data = w.values.data(), .out_features = 20};
  for (const Precision precision : kPrecisions) {
    const PackedMatrix packed =
        PackedMatrix::pack(pool, GetParam(), 200, {&source, 1}, {.precision = precision, .done = {}});
    HostBuffer scratch(kernels().linear_scratch_bytes(2, 200, packing_of(precision)));
    Matrix x(2, 200, 0, 0.0F), y(2, 20);
    x.at(1, 150) = -1000.0F;
    kernels().linear(pool, 2, x, packed, {}, y, scratch.data());
    for (std::int64_t n = 0; n < 20; ++n) {
      EXPECT_EQ(y.at(0, n), 0) << name_of(precision);
      const double expected = -1000.0 * static_cast<double>(w.at(n, 150));
      // Shared out among 64 numbers it meets the rounding of as many weights.
      EXPECT_NEAR(static_cast<double>(y.at(1, n)), expected, 20 + 0.005 * std::abs(expected)) << name_of(precision);
    }
  }
}

TEST_P(LinearTest, EveryActivationWithAndWithoutResidual) {
  for (int kind = 0; kind <= static_cast<int>(kLastActivation); ++kind) {
    for (const std::int64_t out : {32, 45}) {
      check(kernels(), {.rows = 7, .in = 20, .out = out, .bias = true, .activation = static_cast<Activation>(kind)});
      check(kernels(),
            {.rows = 7, .in = 20, .out = out, .activation = static_cast<Activation>(kind), .residual = true});
    }
  }
}

// One feature a hundred times as large as the others: with its magnitude known, the others keep their steps.
TEST_P(LinearTest, MagnitudesBalanceInputsAndWeights) {
  ThreadPool pool(1);
  Matrix x = Matrix::random(9, 200, 1), w = Matrix::random(96, 200, 2);
  std::vector<float> magnitudes(200, 3.0F);
  for (std::int64_t r = 0; r < 9; ++r) x.at(r, 70) *= 100;
  magnitudes[70] = 300.0F;
  // Two sources that start panels of their own.
  const WeightSource sources[] = {{.data = w.values.data(), .out_features = 64},
                                  {.data = &w.at(64, 0), .out_features = 32}};
  const std::vector<std::int64_t> sizes = {64, 32};
  EXPECT_EQ(input_sets(sizes, GetParam(), false), 2);
  const auto error_of = [&](std::span<const float> known) {
    const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 200, sources,
                                                   {.precision = Precision::int8, .magnitudes = known, .done = {}});
    EXPECT_EQ(packed.bytes(), packed_bytes(sizes, 200, GetParam(), Packing::int8, false, !known.empty()));
    HostBuffer scratch(kernels().linear_scratch_bytes(9, 200, Packing::int8, packed.input_sets()));
    Matrix y(9, 96), row(1, 200);
    kernels().linear(pool, 9, x, packed, {}, y, scratch.data());
    for (const std::int64_t n : {3, 70}) {
      packed.read_row(n, row.values.data());
      for (std::int64_t k = 0; k < 200; ++k) EXPECT_NEAR(row.at(0, k), w.at(n, k), 0.3F) << n << ", " << k;
    }
    double error = 0, norm = 0;
    for (std::int64_t r = 0; r < 9; ++r) {
      for (std::int64_t n = 0; n < 96; ++n) {
        const double expected = dot(x, w, nullptr, r, n).value, off = static_cast<double>(y.at(r, n)) - expected;
        error += off * off;
        norm += expected * expected;
      }
    }
    return std::sqrt(error / norm);
  };
  const double plain = error_of({}), balanced = error_of(magnitudes);
  EXPECT_LT(balanced, 0.6 * plain) << "plain " << plain;
  EXPECT_LT(balanced, 0.02);
  EXPECT_THROW(error_of(std::span(magnitudes).first(199)), Error);
}

TEST_P(LinearTest, Gated) {
  for (const Precision precision : kPrecisions) {
    for (const std::int64_t half : {1, 15, 16, 32, 33, 70}) {
      for (const Activation kind : {Activation::gelu_erf, Activation::silu, Activation::none}) {
        Case c{.rows = 13, .in = 19, .out = 2 * half, .bias = true, .activation = kind, .gated = true};
        c.precision = precision;
        check(kernels(), c);
        c = {.rows = 3, .in = 600, .out = 2 * half, .activation = kind, .residual = true, .gated = true};
        c.precision = precision;
        check(kernels(), c);
      }
    }
  }
}

TEST_P(LinearTest, StridedRows) {
  for (const Precision precision : kPrecisions) {
    Case c{.rows = 9, .in = 33, .out = 47, .bias = true, .residual = true, .gap = 5};
    c.precision = precision;
    check(kernels(), c);
    check(kernels(), {.rows = 30, .in = 64, .out = 64, .gap = 3, .precision = precision});
  }
}

TEST_P(LinearTest, DeepAndLarge) {
  for (const Precision precision : kPrecisions) {
    Case c{.rows = 126, .in = 384, .out = 700, .bias = true, .activation = Activation::gelu_erf};
    c.precision = precision;
    check(kernels(), c);
    c = {.rows = 101, .in = 1537, .out = 65, .bias = true, .residual = true};
    c.precision = precision;
    check(kernels(), c);
  }
  check(kernels(), {.rows = 200, .in = 1100, .out = 64});
  check(kernels(), {.rows = 1, .in = 3072, .out = 768, .bias = true});
}

TEST_P(LinearTest, Threads) {
  for (const Precision precision : kPrecisions) {
    for (const std::int64_t rows : {1, 5, 24, 97, 300}) {
      if (kSanitized && rows > 100) continue;  // most of the time, nothing new for threads
      Case c{.rows = rows, .in = 256, .out = 1000, .bias = true, .activation = Activation::silu, .threads = 3};
      c.precision = precision;
      check(kernels(), c);
      c = {.rows = rows, .in = 700, .out = 96, .residual = true, .threads = 4};
      c.precision = precision;
      check(kernels(), c);
    }
  }
}

TEST_P(LinearTest, ResidualMayBeTheOutput) {
  ThreadPool pool(1);
  const Matrix x = Matrix::random(11, 40, 1), w = Matrix::random(50, 40, 2), start = Matrix::random(11, 50, 3);
  const WeightSource source{.data = w.values.data(), .out_features = 50};
  const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 40, {&source, 1});
  Matrix y = start;
  kernels().linear(pool, 11, x, packed, {.residual = y}, y);
  EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t n) {
    Expected want = dot(x, w, nullptr, r, n);
    want.value += static_cast<double>(start.at(r, n));
    want.bound += 2 * kEpsilon * std::abs(want.value);
    return want;
  }));
}

// --- Packing ---------------------------------------------------------------------------------------------------------

using PackTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, PackTest, ::testing::ValuesIn(tested_levels()), level_name);

void expect_rows(const PackedMatrix& packed, std::int64_t first, const Matrix& w) {
  std::vector<float> row(static_cast<std::size_t>(w.width));
  for (std::int64_t n = 0; n < w.rows; ++n) {
    packed.read_row(first + n, row.data());
    for (std::int64_t k = 0; k < w.width; ++k) {
      ASSERT_EQ(row[static_cast<std::size_t>(k)], w.at(n, k))
          << "row " << n << " of the source at " << first << ", column " << k;
    }
  }
}

TEST_P(PackTest, SourcesAreStackedAndRowsComeBack) {
  ThreadPool pool(2);
  const Matrix a = Matrix::random(13, 21, 1), b = Matrix::random(40, 21, 2), c = Matrix::random(1, 21, 3);
  for (const bool gated : {false, true}) {
    const std::vector<WeightSource> sources = {{.data = a.values.data(), .out_features = 13},
                                               {.data = b.values.data(), .out_features = 40},
                                               {.data = c.values.data(), .out_features = 1}};
    const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 21, sources, {.gated = gated, .done = {}});
    EXPECT_EQ(packed.out_features(), 54);
    EXPECT_EQ(packed.columns(), gated ? 27 : 54);
    expect_rows(packed, 0, a);
    expect_rows(packed, 13, b);
    expect_rows(packed, 53, c);
  }
}

TEST_P(PackTest, TransposedHalfWidthAndStridedSources) {
  ThreadPool pool(1);
  const std::int64_t out = 37, in = 19;
  Matrix w = Matrix::random(out, in, 5);
  for (float& value : w.values) value = bf16_to_f32(f32_to_bf16(value));
  Guarded<float> transposed(static_cast<std::size_t>(out * in));
  Guarded<std::uint16_t> bf16(static_cast<std::size_t>(out * in)), f16(static_cast<std::size_t>(out * in)),
      wide(static_cast<std::size_t>((out - 1) * (in + 3) + in));
  Matrix f16_values = w;
  for (std::int64_t n = 0; n < out; ++n) {
    for (std::int64_t k = 0; k < in; ++k) {
      transposed[k * out + n] = w.at(n, k);
      bf16[n * in + k] = wide[n * (in + 3) + k] = f32_to_bf16(w.at(n, k));
      f16[n * in + k] = f32_to_f16(w.at(n, k));
      f16_values.at(n, k) = f16_to_f32(f16[n * in + k]);
    }
  }
  const auto pack = [&](const WeightSource& source) { return PackedMatrix::pack(pool, GetParam(), in, {&source, 1}); };
  expect_rows(pack({.data = transposed.data(), .out_features = out, .transposed = true}), 0, w);
  expect_rows(pack({.data = bf16.data(), .dtype = DType::bf16, .out_features = out}), 0, w);
  expect_rows(pack({.data = wide.data(), .dtype = DType::bf16, .out_features = out, .stride = in + 3}), 0, w);
  expect_rows(pack({.data = f16.data(), .dtype = DType::f16, .out_features = out}), 0, f16_values);
}

TEST_P(PackTest, SourcePagesAreHandedBackOnceEach) {
  ThreadPool pool(2);
  const Matrix w = Matrix::random(3000, 200, 6);
  for (const bool transposed : {false, true}) {
    std::vector<std::atomic<int>> seen(w.values.size());
    const WeightSource source{.data = w.values.data(), .out_features = 3000, .transposed = transposed};
    const auto done = [&](std::span<const std::byte> bytes) {
      const auto first = static_cast<std::size_t>(reinterpret_cast<const float*>(bytes.data()) - w.values.data());
      for (std::size_t i = 0; i < bytes.size() / sizeof(float); ++i) ++seen.at(first + i);
    };
    PackedMatrix::pack(pool, GetParam(), 200, {&source, 1}, {.gated = false, .done = done});
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
  }
}

TEST_P(PackTest, RefusesWhatItCannotPack) {
  ThreadPool pool(1);
  const std::vector<std::int32_t> integers(16);
  const auto kind_of = [&](const std::vector<WeightSource>& sources, bool gated) {
    try {
      PackedMatrix::pack(pool, GetParam(), 4, sources, {.gated = gated, .done = {}});
    } catch (const Error& error) {
      return error.kind();
    }
    return ErrorKind::internal;
  };
  EXPECT_EQ(kind_of({}, false), ErrorKind::invalid_input);
  EXPECT_EQ(kind_of({{.data = integers.data(), .dtype = DType::i32, .out_features = 4}}, false),
            ErrorKind::invalid_input);
  EXPECT_EQ(kind_of({{.data = integers.data(), .out_features = 3}}, true), ErrorKind::invalid_input);
  EXPECT_EQ(kind_of({{.data = integers.data(), .out_features = 0}}, false), ErrorKind::invalid_input);
}

TEST_P(PackTest, ARowThatIsNotThereIsAnError) {
  ThreadPool pool(1);
  const Matrix w = Matrix::random(5, 3, 1);
  const WeightSource source{.data = w.values.data(), .out_features = 5};
  const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 3, {&source, 1});
  float row[3];
  EXPECT_THROW(packed.read_row(5, row), Error);
  EXPECT_THROW(packed.read_row(-1, row), Error);
}

}  // namespace
}  // namespace accelerate::cpu::testing
