// Products over packed weights against f64, at every level this machine has.
#include <algorithm>
#include <atomic>

#include "core/float16.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using LinearTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, LinearTest, ::testing::ValuesIn(supported_levels()), level_name);

struct Case {
  std::int64_t rows, in, out;
  bool bias = false;
  Activation activation = Activation::none;
  bool residual = false;
  bool gated = false;
  std::int64_t gap = 0;
  int threads = 1;
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << c.rows << " x " << c.in << " x " << c.out << (c.bias ? " bias" : "") << " activation "
             << static_cast<int>(c.activation) << (c.residual ? " residual" : "") << (c.gated ? " gated" : "")
             << " gap " << c.gap << " threads " << c.threads;
}

// x W^T + bias in f64 and the bound of its plain f32 evaluation, (K + 8) epsilon sum |x| |w|.
Expected dot(const Matrix& x, const Matrix& w, const Matrix* bias, std::int64_t r, std::int64_t n) {
  double sum = 0, magnitude = 0;
  for (std::int64_t k = 0; k < x.width; ++k) {
    const double term = static_cast<double>(x.at(r, k)) * static_cast<double>(w.at(n, k));
    sum += term;
    magnitude += std::abs(term);
  }
  if (bias != nullptr) {
    sum += static_cast<double>(bias->at(0, n));
    magnitude += std::abs(static_cast<double>(bias->at(0, n)));
  }
  return {sum, static_cast<double>(x.width + 8) * kEpsilon * magnitude};
}

void check(const Kernels& kernels, const Case& c) {
  SCOPED_TRACE(::testing::PrintToString(c));
  ThreadPool pool(c.threads);
  const Matrix x = Matrix::random(c.rows, c.in, 1, c.gap);
  const Matrix w = Matrix::random(c.out, c.in, 2);
  const Matrix bias = Matrix::random(1, c.out, 3);
  const std::int64_t columns = c.gated ? c.out / 2 : c.out;
  const Matrix residual = Matrix::random(c.rows, columns, 4, c.gap);
  const WeightSource source{.data = w.values.data(), .out_features = c.out};
  const PackedMatrix packed =
      PackedMatrix::pack(pool, kernels.level(), c.in, {&source, 1}, {.gated = c.gated, .done = {}});
  EXPECT_EQ(packed.bytes(), packed_bytes(c.out, c.in, kernels.level(), c.gated));
  Matrix y(c.rows, columns, c.gap);
  const Epilogue epilogue{.bias = c.bias ? bias.values.data() : nullptr,
                          .activation = c.activation,
                          .residual = c.residual ? ConstRows(residual) : ConstRows{}};
  kernels.linear(pool, c.rows, x, packed, epilogue, y);
  EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t n) {
    const Expected first = dot(x, w, c.bias ? &bias : nullptr, r, n);
    // No activation here is steeper than 1.5 (hard_swish; relu_squared: 2 x).
    const double slope = c.activation == Activation::relu_squared ? 2 * std::abs(first.value) + 1 : 1.5;
    Expected want{reference_activation(c.activation, first.value),
                  slope * first.bound + activation_bound(c.activation, first.value)};
    if (c.gated) {
      const Expected second = dot(x, w, c.bias ? &bias : nullptr, r, n + columns);
      want.bound =
          want.bound * std::abs(second.value) + second.bound * std::abs(want.value) + want.bound * second.bound;
      want.value *= second.value;
    }
    if (c.residual) want.value += static_cast<double>(residual.at(r, n));
    want.bound += 2 * kEpsilon * std::abs(want.value);
    return want;
  }));
}

TEST_P(LinearTest, EveryRowCountAndOddShapes) {
  for (std::int64_t rows = 1; rows <= 26; ++rows) check(kernels(), {rows, 37, 33});
  for (const std::int64_t in : {1, 2, 3, 5, 64, 130}) {
    for (const std::int64_t out : {1, 3, 15, 16, 17, 31, 33, 48, 100}) {
      for (const std::int64_t rows : {1, 2, 5, 7, 13}) check(kernels(), {rows, in, out, true});
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

TEST_P(LinearTest, Gated) {
  for (const std::int64_t half : {1, 15, 16, 32, 33, 70}) {
    for (const Activation kind : {Activation::gelu_erf, Activation::silu, Activation::none}) {
      check(kernels(), {.rows = 13, .in = 19, .out = 2 * half, .bias = true, .activation = kind, .gated = true});
      check(kernels(), {.rows = 3, .in = 600, .out = 2 * half, .activation = kind, .residual = true, .gated = true});
    }
  }
}

TEST_P(LinearTest, StridedRows) {
  check(kernels(), {.rows = 9, .in = 33, .out = 47, .bias = true, .residual = true, .gap = 5});
  check(kernels(), {.rows = 30, .in = 64, .out = 64, .gap = 3});
}

TEST_P(LinearTest, DeepAndLarge) {
  check(kernels(), {.rows = 126, .in = 384, .out = 700, .bias = true, .activation = Activation::gelu_erf});
  check(kernels(), {.rows = 101, .in = 1537, .out = 65, .bias = true, .residual = true});
  check(kernels(), {.rows = 200, .in = 1100, .out = 64});
  check(kernels(), {.rows = 1, .in = 3072, .out = 768, .bias = true});
}

TEST_P(LinearTest, Threads) {
  for (const std::int64_t rows : {1, 5, 24, 97, 300}) {
    check(kernels(),
          {.rows = rows, .in = 256, .out = 1000, .bias = true, .activation = Activation::silu, .threads = 3});
    check(kernels(), {.rows = rows, .in = 700, .out = 96, .residual = true, .threads = 4});
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
INSTANTIATE_TEST_SUITE_P(Levels, PackTest, ::testing::ValuesIn(supported_levels()), level_name);

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
