// Norms, softmax, pooling, embeddings, activations and element-wise work against f64, at every level.
#include <algorithm>
#include <array>

#include "core/float16.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using RowsTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, RowsTest, ::testing::ValuesIn(tested_levels()), level_name);

constexpr std::int64_t kWidths[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 100, 384, 701};

double number(float value) { return static_cast<double>(value); }

// --- Norms -----------------------------------------------------------------------------------------------------------

struct NormCase {
  std::int64_t rows, width;
  bool weights, in_place;
};

std::vector<NormCase> norm_cases() {
  std::vector<NormCase> cases;
  for (const std::int64_t width : kWidths) {
    cases.push_back({5, width, true, false});
    cases.push_back({3, width, false, true});
  }
  cases.push_back({400, 96, true, false});
  return cases;
}

// Mean and variance of a row are sums of `width` terms; their rounding is relative to the largest magnitude in it.
TEST_P(RowsTest, LayerNorm) {
  ThreadPool pool(2);
  for (const NormCase& c : norm_cases()) {
    SCOPED_TRACE(c.width);
    const Matrix x = Matrix::random(c.rows, c.width, 1, 3, 2.0F);
    const Matrix weight = Matrix::random(1, c.width, 3), bias = Matrix::random(1, c.width, 4);
    Matrix y = Matrix::random(c.rows, c.width, 1, 3, 2.0F);
    for (std::int64_t r = 0; r + 1 < y.rows; ++r) std::fill_n(&y.values[r * y.stride + y.width], 3, kUntouched);
    Norm norm{.kind = Norm::Kind::layer, .epsilon = 1e-5F};
    if (c.weights) norm.weight = weight.values.data(), norm.bias = bias.values.data();
    kernels().norm(pool, {.norm = norm,
                          .input = c.in_place ? ConstRows(y) : ConstRows(x),
                          .output = y,
                          .rows = c.rows,
                          .width = c.width});
    EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
      std::vector<double> row;
      double mean = 0, variance = 0, largest = 0;
      for (std::int64_t k = 0; k < c.width; ++k) {
        row.push_back(number(x.at(r, k)));
        mean += row.back() / static_cast<double>(c.width);
        largest = std::max(largest, std::abs(row.back()));
      }
      for (const double v : row) variance += (v - mean) * (v - mean) / static_cast<double>(c.width);
      const double deviation = std::sqrt(variance + 1e-5);
      const double w = c.weights ? number(weight.at(0, i)) : 1;
      const double value = (row[static_cast<std::size_t>(i)] - mean) / deviation;
      const double bound = kEpsilon * (8 + static_cast<double>(c.width) / 4) * (largest / deviation + std::abs(value));
      const double shift = c.weights ? number(bias.at(0, i)) : 0;
      return {value * w + shift, std::abs(w) * bound + 2 * kEpsilon * (std::abs(value * w) + std::abs(shift))};
    }));
  }
}

TEST_P(RowsTest, RmsNorm) {
  ThreadPool pool(2);
  for (const NormCase& c : norm_cases()) {
    SCOPED_TRACE(c.width);
    const Matrix x = Matrix::random(c.rows, c.width, 1, 3), weight = Matrix::random(1, c.width, 3);
    Matrix y = c.in_place ? x : Matrix(c.rows, c.width, 3);
    for (std::int64_t r = 0; r + 1 < y.rows; ++r) std::fill_n(&y.values[r * y.stride + y.width], 3, kUntouched);
    Norm norm{.kind = Norm::Kind::rms, .weight_offset = 1.0F, .epsilon = 1e-6F};
    if (c.weights) norm.weight = weight.values.data();
    kernels().norm(pool, {.norm = norm,
                          .input = c.in_place ? ConstRows(y) : ConstRows(x),
                          .output = y,
                          .rows = c.rows,
                          .width = c.width});
    EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
      double squares = 0;
      for (std::int64_t k = 0; k < c.width; ++k) squares += number(x.at(r, k)) * number(x.at(r, k));
      const double rms = std::sqrt(squares / static_cast<double>(c.width) + 1e-6);
      const double w = c.weights ? number(weight.at(0, i)) + 1 : 1, value = number(x.at(r, i)) / rms;
      const double rounding = kEpsilon * (8 + static_cast<double>(c.width) / 4);
      const double weight_rounding = c.weights ? kEpsilon * (1 + std::abs(w)) : 0;
      return {value * w, std::abs(value) * (std::abs(w) * rounding + weight_rounding)};
    }));
  }
}

TEST_P(RowsTest, L2Normalize) {
  ThreadPool pool(2);
  for (const std::int64_t width : kWidths) {
    Matrix x = Matrix::random(4, width, 1, 2), y(4, width, 1);
    std::fill_n(&x.values[2 * x.stride], width, 0.0F);  // a row of zeros stays one
    kernels().l2_normalize(pool, 4, width, x, y);
    EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
      double squares = 0;
      for (std::int64_t k = 0; k < width; ++k) squares += number(x.at(r, k)) * number(x.at(r, k));
      const double value = number(x.at(r, i)) / std::max(std::sqrt(squares), 1e-12);
      return {value, kEpsilon * (6 + static_cast<double>(width) / 8) * std::abs(value)};
    })) << width;
  }
}

// --- Softmax ---------------------------------------------------------------------------------------------------------

TEST_P(RowsTest, SoftmaxAndLogSoftmax) {
  ThreadPool pool(2);
  for (const std::int64_t width : kWidths) {
    for (const float spread : {1.0F, 30.0F}) {
      Matrix x = Matrix::random(4, width, 7, 3, spread), y(4, width, 1), logs(4, width);
      if (width > 2) x.at(1, 1) = -std::numeric_limits<float>::infinity();
      kernels().softmax(pool, 4, width, x, y);
      kernels().log_softmax(pool, 4, width, x, logs);
      const auto reference = [&](std::int64_t r, std::int64_t i) {
        double most = -HUGE_VAL, total = 0;
        for (std::int64_t k = 0; k < width; ++k) most = std::max(most, number(x.at(r, k)));
        for (std::int64_t k = 0; k < width; ++k) total += std::exp(number(x.at(r, k)) - most);
        return number(x.at(r, i)) - most - std::log(total);
      };
      EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
        const double log = reference(r, i);
        // The difference from the maximum is rounded before it is exponentiated; below 2^-126 it is flushed to 0.
        const double relative = kEpsilon * (16 + static_cast<double>(width) / 8 + 2 * std::min(std::abs(log), 100.0));
        return {std::exp(log), std::exp(log) * relative + 0x1p-126};
      })) << width;
      EXPECT_TRUE(agrees(logs, [&](std::int64_t r, std::int64_t i) -> Expected {
        const double log = reference(r, i);
        if (std::isinf(log)) return {-1, std::isinf(logs.at(r, i)) ? HUGE_VAL : 0};
        return {log, kEpsilon * (8 + static_cast<double>(width) / 8 + 3 * std::abs(log))};
      })) << width;
    }
  }
}

// --- Functions -------------------------------------------------------------------------------------------------------

TEST_P(RowsTest, EveryActivationOnItsWholeRange) {
  ThreadPool pool(1);
  std::vector<float> points = {0.0F,  -0.0F,  1e-30F, -1e-30F, 1e-5F, -1e-5F,
                               88.0F, -88.0F, 200.0F, -200.0F, 1e4F,  -1e4F};
  for (int i = -120000; i <= 120000; ++i) points.push_back(static_cast<float>(i) * 1e-4F);
  const auto count = static_cast<std::int64_t>(points.size());
  Matrix x(1, count), y(1, count);
  std::copy(points.begin(), points.end(), x.values.begin());
  for (int kind = 0; kind <= static_cast<int>(kLastActivation); ++kind) {
    kernels().activate(pool, static_cast<Activation>(kind), 1, count, x, y);
    EXPECT_TRUE(agrees(y,
                       [&](std::int64_t, std::int64_t i) -> Expected {
                         const double at = number(x.at(0, i));
                         return {reference_activation(static_cast<Activation>(kind), at),
                                 activation_bound(static_cast<Activation>(kind), at)};
                       }))
        << "activation " << kind;
  }
}

// Functions that are not GELU keep their relative accuracy: a few units in the last place wherever the result is
// normal.
TEST_P(RowsTest, SigmoidTanhAndExponentialToAFewUlps) {
  ThreadPool pool(1);
  std::vector<float> points;
  for (int i = -80000; i <= 80000; ++i) points.push_back(static_cast<float>(i) * 1e-3F);
  const auto count = static_cast<std::int64_t>(points.size());
  Matrix x(1, count), y(1, count);
  std::copy(points.begin(), points.end(), x.values.begin());
  for (const Activation kind : {Activation::sigmoid, Activation::tanh, Activation::silu}) {
    kernels().activate(pool, kind, 1, count, x, y);
    EXPECT_TRUE(agrees(y,
                       [&](std::int64_t, std::int64_t i) -> Expected {
                         const double value = reference_activation(kind, number(x.at(0, i)));
                         return {value, 8 * kEpsilon * std::abs(value) + 0x1p-126};
                       }))
        << "activation " << static_cast<int>(kind);
  }
  // e^d out of a softmax over the pair (0, d): p / (1 - p) without the sum's rounding, as p(0) is known from the other.
  Matrix pair(static_cast<std::int64_t>(points.size()), 2), p(count, 2);
  for (std::int64_t i = 0; i < count; ++i)
    pair.at(i, 0) = 0, pair.at(i, 1) = -std::abs(points[static_cast<std::size_t>(i)]);
  kernels().softmax(pool, count, 2, pair, p);
  for (std::int64_t i = 0; i < count; ++i) {
    const double exact = std::exp(number(pair.at(i, 1)));
    const double found = number(p.at(i, 1)) / number(p.at(i, 0));
    ASSERT_NEAR(found / exact, 1, 6 * kEpsilon) << "e^" << pair.at(i, 1);
  }
}

TEST_P(RowsTest, NotANumberStaysOne) {
  ThreadPool pool(1);
  Matrix x(1, 40, 0, std::numeric_limits<float>::quiet_NaN()), y(1, 40);
  for (const Activation kind : {Activation::none, Activation::gelu_erf, Activation::gelu_tanh, Activation::silu,
                                Activation::tanh, Activation::sigmoid, Activation::relu6, Activation::leaky_relu,
                                Activation::gelu_10, Activation::hard_swish, Activation::mish, Activation::laplace}) {
    kernels().activate(pool, kind, 1, 40, x, y);
    for (const float value : y.values) ASSERT_TRUE(std::isnan(value)) << "activation " << static_cast<int>(kind);
  }
}

TEST_P(RowsTest, BinaryAndAffine) {
  ThreadPool pool(2);
  for (const std::int64_t width : kWidths) {
    for (const std::int64_t gap : {0, 3}) {
      const Matrix a = Matrix::random(6, width, 1, gap), b = Matrix::random(6, width, 2, gap);
      for (int kind = 0; kind <= static_cast<int>(Binary::maximum); ++kind) {
        for (const bool repeated : {false, true}) {
          Matrix y(6, width, gap);
          ConstRows second = b;
          if (repeated) second.stride = 0;
          kernels().binary(pool, static_cast<Binary>(kind), 6, width, a, second, y);
          EXPECT_TRUE(agrees(y,
                             [&](std::int64_t r, std::int64_t i) -> Expected {
                               const double u = number(a.at(r, i)), v = number(b.at(repeated ? 0 : r, i));
                               const std::array<double, 6> values = {u + v, u - v,          u * v,
                                                                     u / v, std::min(u, v), std::max(u, v)};
                               const double value = values[static_cast<std::size_t>(kind)];
                               return {value, kEpsilon * std::abs(value)};
                             }))
              << "binary " << kind << " width " << width;
        }
      }
      Matrix y(6, width, gap);
      kernels().affine(pool, 1.5F, -0.25F, 6, width, a, y);
      EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
        return {number(a.at(r, i)) * 1.5 - 0.25, 2 * kEpsilon * (std::abs(number(a.at(r, i))) * 1.5 + 0.25)};
      }));
    }
  }
}

// --- Pooling and embeddings ------------------------------------------------------------------------------------------

double pooled(Pooling kind, const Matrix& x, std::int64_t begin, std::int64_t end, const std::uint8_t* mask,
              std::int64_t column, double& magnitude) {
  double sum = 0, weights = 0, most = 0;
  magnitude = 0;
  if (begin == end) return 0;
  if (kind == Pooling::first) return number(x.at(begin, column));
  if (kind == Pooling::last) return number(x.at(end - 1, column));
  for (std::int64_t r = begin; r < end; ++r) {
    if (mask != nullptr && mask[r] == 0) continue;
    const double weight = kind == Pooling::weighted_mean ? static_cast<double>(r - begin + 1) : 1;
    const double value = number(x.at(r, column));
    most = weights == 0 ? value : std::max(most, value);
    sum += weight * value;
    magnitude += weight * std::abs(value);
    weights += weight;
  }
  if (weights == 0) return 0;
  if (kind == Pooling::max) return most;
  const double divisor = kind == Pooling::mean_sqrt_length ? std::sqrt(weights) : weights;
  magnitude /= divisor;
  return sum / divisor;
}

TEST_P(RowsTest, Pooling) {
  ThreadPool pool(2);
  const std::vector<std::int64_t> offsets = {0, 5, 5, 6, 40, 43};
  std::vector<std::uint8_t> mask(43, 1);
  for (const std::size_t hidden : {0U, 3U, 10U, 39U, 40U, 41U, 42U}) mask[hidden] = 0;  // the last sequence wholly
  for (const std::int64_t width : kWidths) {
    const Matrix x = Matrix::random(43, width, 1, 3);
    for (int kind = 0; kind <= static_cast<int>(Pooling::weighted_mean); ++kind) {
      for (const bool masked : {false, true}) {
        Matrix y(5, width, 2);
        const std::uint8_t* seen = masked ? mask.data() : nullptr;
        kernels().pooling(pool, {.kind = static_cast<Pooling>(kind),
                                 .input = x,
                                 .offsets = offsets,
                                 .row_mask = seen,
                                 .width = width,
                                 .output = y});
        EXPECT_TRUE(agrees(y,
                           [&](std::int64_t s, std::int64_t i) -> Expected {
                             const auto at = static_cast<std::size_t>(s);
                             double magnitude = 0;
                             const double value = pooled(static_cast<Pooling>(kind), x, offsets[at], offsets[at + 1],
                                                         seen, i, magnitude);
                             return {value, 45 * kEpsilon * magnitude};
                           }))
            << "pooling " << kind << " width " << width << (masked ? " masked" : "");
      }
    }
  }
}

TEST_P(RowsTest, EmbeddingsOfEveryKindAreSummedAndNormed) {
  ThreadPool pool(2);
  for (const std::int64_t width : {1, 7, 16, 33, 384}) {
    const std::int64_t rows = 70;
    const Matrix words = Matrix::random(50, width, 1), places = Matrix::random(80, width, 2),
                 types = Matrix::random(2, width, 3);
    Guarded<std::uint16_t> half(places.values.size()), brain(types.values.size());
    for (std::size_t i = 0; i < half.size(); ++i)
      half[static_cast<std::int64_t>(i)] = f32_to_f16(places.values[static_cast<std::int64_t>(i)]);
    for (std::size_t i = 0; i < brain.size(); ++i)
      brain[static_cast<std::int64_t>(i)] = f32_to_bf16(types.values[static_cast<std::int64_t>(i)]);
    const WeightSource source{.data = words.values.data(), .out_features = 50};
    const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), width, {&source, 1});
    std::vector<std::int64_t> ids, positions;
    for (std::int64_t r = 0; r < rows; ++r) ids.push_back(r * 7 % 50), positions.push_back(r);
    EmbeddingTable word{.data = words.values.data(), .rows = 50, .ids = ids.data()};
    const EmbeddingTable tied{.packed = &packed, .ids = ids.data()};
    const EmbeddingTable place{.data = half.data(), .dtype = DType::f16, .rows = 80, .ids = positions.data()};
    const EmbeddingTable type{.data = brain.data(), .dtype = DType::bf16, .rows = 2};
    for (const auto& tables :
         {std::vector{word, place, type}, std::vector{tied, place, type}, std::vector{place, tied, type}}) {
      Matrix y(rows, width, 2);
      kernels().embedding(pool, {.tables = tables, .output = y, .rows = rows, .width = width, .scale = 0.5F});
      const auto sum_of = [&](std::int64_t r, std::int64_t i) {
        return 0.5 * (number(words.at(ids[static_cast<std::size_t>(r)], i)) + number(f16_to_f32(half[r * width + i])) +
                      number(bf16_to_f32(brain[i])));
      };
      EXPECT_TRUE(agrees(y, [&](std::int64_t r, std::int64_t i) -> Expected {
        return {sum_of(r, i), 3 * kEpsilon * (std::abs(number(words.at(ids[static_cast<std::size_t>(r)], i))) + 12)};
      })) << width;
      Matrix normed(rows, width);
      kernels().embedding(pool, {.tables = tables,
                                 .output = normed,
                                 .rows = rows,
                                 .width = width,
                                 .scale = 0.5F,
                                 .norm = {.kind = Norm::Kind::layer, .epsilon = 1e-12F}});
      EXPECT_TRUE(agrees(normed, [&](std::int64_t r, std::int64_t i) -> Expected {
        double mean = 0, variance = 0;
        for (std::int64_t k = 0; k < width; ++k) mean += sum_of(r, k) / static_cast<double>(width);
        for (std::int64_t k = 0; k < width; ++k)
          variance += std::pow(sum_of(r, k) - mean, 2) / static_cast<double>(width);
        const double deviation = std::sqrt(variance + 1e-12);
        return {(sum_of(r, i) - mean) / deviation, kEpsilon * (40 + static_cast<double>(width)) * (1 + 4 / deviation)};
      })) << width;
    }
  }
}

TEST_P(RowsTest, AnIdOutsideItsTableIsNamed) {
  ThreadPool pool(1);
  const Matrix words = Matrix::random(10, 4, 1);
  for (const std::int64_t wrong : {10, -1}) {
    const std::vector<std::int64_t> ids = {3, wrong};
    const EmbeddingTable table{.data = words.values.data(), .rows = 10, .ids = ids.data(), .name = "word_embeddings"};
    Matrix y(2, 4);
    try {
      kernels().embedding(pool, {.tables = {&table, 1}, .output = y, .rows = 2, .width = 4});
      FAIL() << "id " << wrong << " was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
      EXPECT_EQ(error.where(), "word_embeddings");
      EXPECT_EQ(error.message(), "id " + std::to_string(wrong) + " at row 1, expected 0 to 9");
    }
  }
}

// --- Levels ----------------------------------------------------------------------------------------------------------

class LevelsTest : public ::testing::Test {
 protected:
  void TearDown() override { unsetenv("ACCELERATE_CPU_LEVEL"); }
};

TEST_F(LevelsTest, PortableIsAlwaysThereAndTheFastestIsTaken) {
  const std::vector<Level> levels = supported_levels();
  ASSERT_FALSE(levels.empty());
  EXPECT_EQ(levels.front(), Level::portable);
  EXPECT_EQ(current_level(), levels.back());
  for (const Level level : levels) EXPECT_EQ(accelerate::cpu::kernels(level).level(), level);
}

TEST_F(LevelsTest, TheVariableForcesALowerOne) {
  for (const Level level : supported_levels()) {
    setenv("ACCELERATE_CPU_LEVEL", std::string(name_of(level)).c_str(), 1);
    EXPECT_EQ(current_level(), level);
  }
}

TEST_F(LevelsTest, WhatTheMachineLacksIsUnsupported) {
  const std::vector<Level> levels = supported_levels();
  int missing = 0;
  for (const Level level : {Level::portable, Level::neon, Level::avx2, Level::avx512, Level::avx512_bf16}) {
    if (std::find(levels.begin(), levels.end(), level) != levels.end()) continue;
    ++missing;
    setenv("ACCELERATE_CPU_LEVEL", std::string(name_of(level)).c_str(), 1);
    try {
      current_level();
      FAIL() << name_of(level);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    }
  }
  EXPECT_GE(missing, 1) << "no machine has both neon and avx2";
  setenv("ACCELERATE_CPU_LEVEL", "sse9", 1);
  try {
    current_level();
    FAIL() << "sse9 was taken";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  }
}

TEST_P(RowsTest, MeasuresSomethingPlausible) {
  EXPECT_GT(kernels().measure_peak_gflops(2), 0.1);
  const HostBuffer buffer(1 << 20);
  EXPECT_GT(kernels().measure_read_bytes_per_second({buffer.data(), buffer.size()}, 2), 1e7);
}

}  // namespace
}  // namespace accelerate::cpu::testing
