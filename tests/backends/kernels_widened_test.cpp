// Weights of f32 that are bf16 or f16 in the file, at every level this machine has.
#include <cmath>
#include <numeric>

#include "core/float16.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using WidenedTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, WidenedTest, ::testing::ValuesIn(tested_levels()), level_name);

// A weight whose numbers have 16 bits, and the same as floats.
struct NarrowWeight {
  DType dtype;
  Matrix wide;
  std::vector<std::uint16_t> stored;

  NarrowWeight(DType type, std::int64_t out, std::int64_t in) : dtype(type), wide(Matrix::random(out, in, 5)) {
    const bool f16 = dtype == DType::f16;
    for (float& value : wide.values) {
      stored.push_back(f16 ? f32_to_f16(value) : f32_to_bf16(value));
      value = f16 ? f16_to_f32(stored.back()) : bf16_to_f32(stored.back());
    }
  }
  WeightSource narrow_source() const { return {.data = stored.data(), .dtype = dtype, .out_features = wide.rows}; }
  WeightSource wide_source() const { return {.data = wide.values.data(), .out_features = wide.rows}; }
};

// Weights of f32 that have 16 bits where they are read from give the same products from half the bytes.
void expect_kept(Level level, DType dtype, std::int64_t in, bool gated,
                 std::initializer_list<std::int64_t> row_counts) {
  ThreadPool pool(2);
  const std::int64_t out = 70;
  const NarrowWeight weight(dtype, out, in);
  const WeightSource narrow = weight.narrow_source(), wide = weight.wide_source();
  const PackedMatrix kept = PackedMatrix::pack(pool, level, in, {&narrow, 1}, {.gated = gated, .done = {}});
  const PackedMatrix plain = PackedMatrix::pack(pool, level, in, {&wide, 1}, {.gated = gated, .done = {}});
  EXPECT_EQ(kept.packing(), dtype == DType::f16 ? Packing::f32_of_f16 : Packing::f32_of_bf16);
  EXPECT_EQ(kept.bytes(), packed_bytes({&out, 1}, in, level, kept.packing(), gated));
  EXPECT_EQ(kept.bytes(), plain.bytes() / static_cast<std::size_t>(in) * static_cast<std::size_t>((in + 1) / 2));
  std::vector<float> row(static_cast<std::size_t>(in));
  kept.read_row(out - 1, row.data());
  for (std::int64_t k = 0; k < in; ++k) EXPECT_EQ(row[static_cast<std::size_t>(k)], weight.wide.at(out - 1, k));
  for (const std::int64_t rows : row_counts) {
    const Matrix x = Matrix::random(rows, in, 6, 2);
    Matrix found(rows, kept.columns()), expected(rows, kept.columns());
    const Kernels& own = kernels(level);
    HostBuffer scratch(own.linear_scratch_bytes(rows, in, kept.packing()));
    const Epilogue epilogue{.activation = Activation::gelu_erf, .residual = {}};
    own.linear(pool, rows, x, kept, epilogue, found, scratch.data());
    own.linear(pool, rows, x, plain, epilogue, expected, nullptr);
    for (std::int64_t i = 0; i < rows * kept.columns(); ++i) {
      const std::int64_t r = i / kept.columns(), n = i % kept.columns();
      // Sums in another order, and of gates their products.
      const double bound = 2e-5 + 1e-6 * static_cast<double>(in);
      ASSERT_NEAR(found.at(r, n), expected.at(r, n), bound * (1 + std::abs(expected.at(r, n))))
          << name_of(dtype) << ", " << in << " inputs, row " << r << " of " << rows << ", column " << n
          << (gated ? ", gated" : "");
    }
  }
}

TEST_P(WidenedTest, NumbersOf16BitsAreKeptAsThat) {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    for (const std::int64_t in : {1, 7, 40, 129, 1024}) {
      for (const bool gated : {false, true}) expect_kept(GetParam(), dtype, in, gated, {1, 3, 9, 10, 11, 33});
    }
  }
}

// What is widened for several tiles is cut then.
TEST_P(WidenedTest, DeepProductsToo) {
  for (const DType dtype : {DType::bf16, DType::f16}) {
    for (const std::int64_t in : {1025, 2048, 3100}) {
      for (const bool gated : {false, true}) expect_kept(GetParam(), dtype, in, gated, {4, 5, 6, 7, 8, 33});
    }
  }
}

// Stored as [in, out] and beside others, as GPT-2's are.
TEST_P(WidenedTest, NumbersOf16BitsAreKeptFromColumnsToo) {
  ThreadPool pool(1);
  const std::int64_t in = 130, out = 37;
  for (const DType dtype : {DType::bf16, DType::f16}) {
    const NarrowWeight weight(dtype, in, out);
    const WeightSource source{.data = weight.stored.data(), .dtype = dtype, .out_features = out, .transposed = true};
    const WeightSource twice[] = {source, source};
    const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), in, twice, {.done = {}});
    std::vector<float> row(static_cast<std::size_t>(in));
    for (std::int64_t n = 0; n < 2 * out; ++n) {
      packed.read_row(n, row.data());
      for (std::int64_t k = 0; k < in; ++k) {
        ASSERT_EQ(row[static_cast<std::size_t>(k)], weight.wide.at(k, n % out)) << name_of(dtype) << ", column " << n;
      }
    }
  }
}

// What differs is f32 together.
TEST_P(WidenedTest, NumbersOf16BitsBesideOthersAreFloats) {
  ThreadPool pool(1);
  const NarrowWeight halves(DType::f16, 20, 24), brains(DType::bf16, 20, 24);
  const WeightSource sources[] = {halves.narrow_source(), brains.narrow_source()};
  const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 24, sources, {.done = {}});
  EXPECT_EQ(packed.packing(), Packing::f32);
  std::vector<float> row(24);
  packed.read_row(21, row.data());
  for (std::int64_t k = 0; k < 24; ++k) EXPECT_EQ(row[static_cast<std::size_t>(k)], brains.wide.at(1, k));
}

TEST_P(WidenedTest, EveryNumberOfF16IsWidenedExactly) {
  ThreadPool pool(1);
  std::vector<std::uint16_t> stored(65536);
  std::iota(stored.begin(), stored.end(), std::uint16_t{0});
  const WeightSource source{.data = stored.data(), .dtype = DType::f16, .out_features = 64};
  const PackedMatrix packed = PackedMatrix::pack(pool, GetParam(), 1024, {&source, 1}, {.done = {}});
  std::vector<float> row(1024);
  for (std::size_t r = 0; r < 64; ++r) {
    packed.read_row(static_cast<std::int64_t>(r), row.data());
    for (std::size_t k = 0; k < 1024; ++k) {
      const float expected = f16_to_f32(stored[r * 1024 + k]);
      if (std::isnan(expected)) {
        ASSERT_TRUE(std::isnan(row[k])) << stored[r * 1024 + k];
      } else {
        ASSERT_EQ(row[k], expected) << stored[r * 1024 + k];
      }
    }
  }
}

}  // namespace
}  // namespace accelerate::cpu::testing
