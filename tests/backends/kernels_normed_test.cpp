// Norms that run in front of a product: the same numbers as by themselves, and which norms those are.
#include "backends/backend.hpp"
#include "graph/builder.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using NormedProductTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, NormedProductTest, ::testing::ValuesIn(tested_levels()), level_name);

// A product's weight in one of the ways in which it may lie.
struct Lying {
  Precision precision = Precision::f32;
  DType stored = DType::f32;
  bool gated = false, balanced = false;
};

PackedMatrix packed_as(const Lying& lying, Level level, ThreadPool& pool, const Matrix& w) {
  Tensor values(DType::f32, {w.rows, w.width});
  std::ranges::copy(w.values, values.as<float>().begin());
  const Tensor stored = values.to(lying.stored);
  const std::size_t half = stored.bytes().size() / 2;
  const WeightSource sources[] = {
      {.data = stored.bytes().data(), .dtype = lying.stored, .out_features = w.rows / 2},
      {.data = stored.bytes().data() + half, .dtype = lying.stored, .out_features = w.rows / 2}};
  const std::vector<float> magnitudes(lying.balanced ? static_cast<std::size_t>(w.width) : 0, 3.0F);
  return PackedMatrix::pack(pool, level, w.width, sources,
                            {.precision = lying.precision, .magnitudes = magnitudes, .gated = lying.gated, .done = {}});
}

// Scratch of just the size that was asked for: a byte more would be in a page that may not be written.
Matrix product(const Kernels& kernels, ThreadPool& pool, const Matrix& x, const PackedMatrix& w, const Norm& norm) {
  const bool normed = norm.kind != Norm::Kind::none;
  Guarded<std::byte> scratch(kernels.linear_scratch_bytes(x.rows, x.width, w.packing(), w.input_sets(), normed));
  Matrix y(x.rows, w.columns());
  kernels.linear(pool, x.rows, x, w, {}, y, scratch.data(), norm);
  return y;
}

TEST_P(NormedProductTest, IsThatOfTheNormByItself) {
  constexpr std::int64_t kOut = 128;
  ThreadPool pool(3);
  const Lying all[] = {{},
                       {.gated = true},
                       {.stored = DType::bf16},
                       {.stored = DType::f16},
                       {.precision = Precision::bf16},
                       {.precision = Precision::int8},
                       {.precision = Precision::int8, .balanced = true}};
  for (const std::int64_t in : {33, 130, 1024}) {
    const Matrix w = Matrix::random(kOut, in, 2), weight = Matrix::random(1, in, 3), bias = Matrix::random(1, in, 4);
    const float* weights = weight.values.data();
    const Norm norms[] = {{.kind = Norm::Kind::layer, .weight = weights, .bias = bias.values.data(), .epsilon = 1e-3F},
                          {.kind = Norm::Kind::layer, .epsilon = 1e-5F},
                          {.kind = Norm::Kind::rms, .weight = weights, .weight_offset = 1, .epsilon = 1e-6F}};
    for (const Lying& lying : all) {
      const PackedMatrix packed = packed_as(lying, GetParam(), pool, w);
      EXPECT_EQ(packed.input_sets(), lying.balanced ? 2 : 1);
      for (const std::int64_t rows : {1, 7, 40}) {
        const Matrix x = Matrix::random(rows, in, 5, 3);
        for (const Norm& norm : norms) {
          Matrix normed(rows, in);
          kernels().norm(pool, {.norm = norm, .input = x, .output = normed, .rows = rows, .width = in});
          EXPECT_TRUE(std::ranges::equal(product(kernels(), pool, x, packed, norm).values,
                                         product(kernels(), pool, normed, packed, {}).values))
              << in << " inputs, " << rows << " rows, weight " << &lying - all << ", norm " << &norm - norms;
        }
      }
    }
  }
}

class Normed {
 public:
  Normed() : b_("normed", *weights_) {}
  Value input(std::int64_t width) { return b_.input("x", {Element::real, Shape({kBatch, kTokens, width}, true)}); }
  Value linear(const std::string& name, Value x, const LinearOptions& options = {.bias = Bias::none}) {
    weights_->add(name + ".weight", Tensor(DType::f32, {8, b_.width(x)}));
    return b_.linear(name, x, options);
  }
  Value rms_norm(const std::string& name, Value x, std::int64_t groups = 1) {
    weights_->add(name + ".weight", Tensor(DType::f32, {b_.width(x) / groups}));
    return b_.rms_norm(name, x, 1e-6, 0, groups);
  }
  Builder& builder() { return b_; }
  std::vector<std::string> steps() {
    const auto plan = backend_named("cpu").compile(b_.finish(), weights_, {});
    std::vector<std::string> paths;
    for (const PlanStep& step : plan->steps()) paths.push_back(step.path);
    return paths;
  }

 private:
  std::shared_ptr<Weights> weights_ = std::make_shared<Weights>();
  Builder b_;
};

using Paths = std::vector<std::string>;

TEST(NormsInFront, AreThoseThatOneProductReads) {
  Normed n;
  const Value normed = n.rms_norm("norm", n.input(8));
  const Value query = n.linear("query", normed), key = n.linear("key", normed);
  n.builder().output("y", n.builder().add(query, key));
  EXPECT_EQ(n.steps(), (Paths{"query", ""})) << "query and key are one product";
}

TEST(NormsInFront, AreNotThoseThatOthersReadToo) {
  Normed residual;
  Value normed = residual.rms_norm("norm", residual.input(8));
  residual.builder().output("y", residual.linear("out", normed, {.residual = normed, .bias = Bias::none}));
  EXPECT_EQ(residual.steps(), (Paths{"norm", "out"}));

  Normed wanted;
  normed = wanted.rms_norm("norm", wanted.input(8));
  wanted.builder().output("normed", normed);
  wanted.builder().output("y", wanted.linear("out", normed));
  EXPECT_EQ(wanted.steps(), (Paths{"norm", "out"}));
}

TEST(NormsInFront, AreNotThoseOfHeads) {
  Normed n;
  n.builder().output("y", n.linear("out", n.rms_norm("norm", n.input(8), 2)));
  EXPECT_EQ(n.steps(), (Paths{"norm", "out"}));
}

}  // namespace
}  // namespace accelerate::cpu::testing
