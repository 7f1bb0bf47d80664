// Norms that run in front of a product: the same numbers as by themselves, and which norms those are.
#include "backends/backend.hpp"
#include "graph/builder.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using PrologueTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, PrologueTest, ::testing::ValuesIn(tested_levels()), level_name);

void norm_rows(const Kernels& kernels, ThreadPool& pool, const Prologue& norm, const Matrix& x, Matrix& y) {
  if (norm.norm == Prologue::Norm::layer) {
    return kernels.layer_norm(pool, {.input = x,
                                     .output = y,
                                     .rows = x.rows,
                                     .width = x.width,
                                     .weight = norm.weight,
                                     .bias = norm.bias,
                                     .epsilon = norm.epsilon});
  }
  kernels.rms_norm(pool, {.input = x,
                          .output = y,
                          .rows = x.rows,
                          .width = x.width,
                          .weight = norm.weight,
                          .weight_offset = norm.weight_offset,
                          .epsilon = norm.epsilon});
}

TEST_P(PrologueTest, IsTheNormByItself) {
  constexpr std::int64_t kIn = 130, kOut = 70;
  ThreadPool pool(3);
  const Matrix w = Matrix::random(kOut, kIn, 2), weight = Matrix::random(1, kIn, 3), bias = Matrix::random(1, kIn, 4);
  const WeightSource source{.data = w.values.data(), .out_features = kOut};
  const Prologue norms[] = {
      {.norm = Prologue::Norm::layer, .weight = weight.values.data(), .bias = bias.values.data(), .epsilon = 1e-3F},
      {.norm = Prologue::Norm::layer, .epsilon = 1e-5F},
      {.norm = Prologue::Norm::rms, .weight = weight.values.data(), .weight_offset = 1, .epsilon = 1e-6F}};
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    const PackedMatrix packed =
        PackedMatrix::pack(pool, GetParam(), kIn, {&source, 1}, {.precision = precision, .done = {}});
    for (const std::int64_t rows : {1, 7, 40}) {
      const Matrix x = Matrix::random(rows, kIn, 5, 3);
      for (const Prologue& norm : norms) {
        Matrix normed(rows, kIn), expected(rows, kOut), found(rows, kOut);
        norm_rows(kernels(), pool, norm, x, normed);
        HostBuffer scratch(kernels().linear_scratch_bytes(rows, kIn, packed.packing()));
        kernels().linear(pool, rows, normed, packed, {}, expected, scratch.data());
        scratch = HostBuffer(kernels().linear_scratch_bytes(rows, kIn, packed.packing(), 1, true));
        kernels().linear(pool, rows, x, packed, {}, found, scratch.data(), norm);
        EXPECT_TRUE(std::ranges::equal(found.values, expected.values))
            << name_of(precision) << ", " << rows << " rows, norm " << &norm - norms;
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
