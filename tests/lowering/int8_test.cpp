// Weights in 8 bits: by hand, and where they stand in a model.
#include "lowering/int8.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "checkpoint/temporary_folder.hpp"
#include "graph/builder.hpp"
#include "graph/ops/embedding.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::lowering {
namespace {

TEST(Quantize, GroupsOfARowShareAScale) {
  std::vector<float> values(34, 1.0F);  // a group of 32, and one of 2
  values[5] = -127;
  values[32] = 2;
  const Int8Matrix made = quantize(Tensor::of({1, 34}, values), {}, false);
  ASSERT_EQ(made.steps.dims(), (Dims{1, 34}));
  ASSERT_EQ(made.scales.dims(), (Dims{1, 2}));
  const auto steps = made.steps.as<std::int8_t>();
  EXPECT_EQ(steps[4], 1);
  EXPECT_EQ(steps[5], -127);
  EXPECT_EQ(steps[32], 127);
  EXPECT_EQ(steps[33], 64) << "63.5 steps, to even";
  EXPECT_FLOAT_EQ(made.scales.as<float>()[0], 1);
  EXPECT_FLOAT_EQ(made.scales.as<float>()[1], 2.0F / 127);
}

TEST(Quantize, TurnsBalancesAndTakesZeros) {
  const Tensor matrix = Tensor::of<float>({2, 3}, {0, 0, 0, 1, 2, 4});
  const std::vector<float> factors{4, 2, 1};
  const Int8Matrix made = quantize(matrix, factors, true);
  ASSERT_EQ(made.steps.dims(), (Dims{3, 2}));
  ASSERT_EQ(made.scales.dims(), (Dims{1, 2}));
  const auto steps = made.steps.as<std::int8_t>();
  EXPECT_EQ(std::vector<int>(steps.begin(), steps.end()), (std::vector<int>{0, 127, 0, 127, 0, 127}));
  EXPECT_EQ(made.scales.as<float>()[0], 0);
  EXPECT_FLOAT_EQ(made.scales.as<float>()[1], 4.0F / 127);
}

// ids -> embedding -> norm -> linear over every token -> linear over one row a text
struct SmallModel {
  Weights weights;
  Graph graph;

  SmallModel() {
    std::vector<float> words(11 * 8);
    for (std::size_t i = 0; i < words.size(); ++i) words[i] = std::sin(static_cast<float>(i));
    weights.add("words.weight", Tensor::of({11, 8}, words));
    weights.add("norm.weight", Tensor::of<float>({8}, {1, 1, 1, 1, 1, 1, 1, 100}));
    weights.add("dense.weight", Tensor::of({4, 8}, std::vector<float>(32, 0.5F)));
    weights.add("head.weight", Tensor(DType::f32, {2, 4}));
    Builder b("encode", weights);
    Value x = b.apply(std::make_shared<ops::Embedding>(5.5), {b.weight("words.weight"), b.token_input("input_ids")});
    x = b.layer_norm("norm", x, 1e-5, Bias::none);
    x = b.linear("dense", x, {.bias = Bias::none});
    b.output("hidden", x);
    b.output("logits", b.linear("head", b.pool(x, ops::PoolMode::mean), {.bias = Bias::none}));
    graph = b.finish();
  }

  OnnxModel in_int8(OnnxOptions options = {}) const {
    options.opset = kInt8Opset;
    options.int8 = {"dense"};
    return to_onnx(graph, weights, options);
  }
};

const OnnxInitializer* find(const OnnxModel& model, const std::string& name) {
  const auto found = std::ranges::find(model.initializers, name, &OnnxInitializer::name);
  return found == model.initializers.end() ? nullptr : &*found;
}

std::int64_t count(const OnnxModel& model, const std::string& type) {
  return std::ranges::count(model.nodes, type, &OnnxNode::type);
}

TEST(Int8Products, AreThoseOfEveryToken) {
  EXPECT_EQ(int8_products(SmallModel().graph), std::vector<std::string>{"dense"});
}

TEST(Int8Products, MultiplyBytesThatOnlyTheyRead) {
  const SmallModel small;
  const OnnxModel model = small.in_int8();
  EXPECT_FALSE(model.contrib);
  EXPECT_EQ(count(model, "DequantizeLinear"), 1);
  const OnnxInitializer* steps = find(model, "dense.weight after norm.weight.columns.steps");
  const OnnxInitializer* scales = find(model, "dense.weight after norm.weight.columns.scales");
  ASSERT_TRUE(steps != nullptr && scales != nullptr);
  EXPECT_EQ(steps->dtype, DType::i8);
  EXPECT_EQ(steps->dims, (Dims{8, 4}));
  EXPECT_EQ(scales->dims, (Dims{1, 4}));
  EXPECT_FALSE(steps->in_place());
  EXPECT_EQ(find(model, "dense.weight"), nullptr) << "written in f32 too";
  EXPECT_NE(find(model, "head.weight"), nullptr) << "one row a text stays in f32";
}

// A feature that the norm makes large takes no steps from the others: it is divided, its weights are multiplied.
TEST(Int8Products, AreBalancedBehindANorm) {
  const SmallModel small;
  const OnnxModel model = small.in_int8();
  const OnnxInitializer* factors = find(model, "dense.weight after norm.weight.factors");
  ASSERT_NE(factors, nullptr);
  const Tensor inverse = factors->tensor();
  EXPECT_NEAR(inverse.as<float>()[7] / inverse.as<float>()[0], std::pow(100.0, -0.4), 1e-5);
  const Tensor steps = find(model, "dense.weight after norm.weight.columns.steps")->tensor();
  const Tensor scales = find(model, "dense.weight after norm.weight.columns.scales")->tensor();
  for (std::size_t k = 0; k < 8; ++k) {
    const float weight = static_cast<float>(steps.as<std::int8_t>()[k * 4]) * scales.as<float>()[0];
    EXPECT_NEAR(weight * inverse.as<float>()[k], 0.5, 0.02) << k;
  }
}

TEST(Int8Tables, AreLookedUpAsBytes) {
  const SmallModel small;
  const OnnxModel model = small.in_int8({.int8_tables = true});
  EXPECT_EQ(count(model, "DequantizeLinear"), 2);
  ASSERT_NE(find(model, "words.weight.steps"), nullptr);
  EXPECT_EQ(find(model, "words.weight.steps")->dims, (Dims{11, 8}));
  EXPECT_EQ(find(model, "words.weight.scales")->dims, (Dims{11, 1}));
  EXPECT_EQ(find(model, "words.weight"), nullptr) << "written in f32 too";
  EXPECT_NE(find(small.in_int8(), "words.weight"), nullptr) << "not asked for";
  EXPECT_NE(find(model, "f32:5.5"), nullptr) << "what tables are multiplied with";
}

TEST(Int8, NeedsAnOpsetWithGroups) {
  const SmallModel small;
  const Error error =
      error_of([&] { to_onnx(small.graph, small.weights, {.opset = kInt8Opset - 1, .int8 = {"dense"}}); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.message(), "opset 21")) << error.what();
}

}  // namespace
}  // namespace accelerate::lowering
