// What graphs become in ONNX, seen from the model in memory. That the numbers are right is for the backends' tests.
#include "lowering/onnx.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "checkpoint/temporary_folder.hpp"
#include "graph/builder.hpp"

namespace accelerate::lowering {
namespace {

// ids -> embedding -> linear -> norm -> attention -> mean
struct SmallModel {
  Weights weights;
  Graph graph;

  SmallModel() {
    weights.add("words.weight", Tensor(DType::f32, {11, 8}));
    weights.add("dense.weight", Tensor(DType::f32, {4, 8}));
    weights.add("dense.bias", Tensor(DType::f32, {4}));
    weights.add("norm.weight", Tensor(DType::f32, {4}));
    Builder b("encode", weights);
    const Value ids = b.token_input("input_ids");
    const Value positions = b.token_input("position_ids", {InputRule::Fill::columns, 0});
    Value x = b.embedding({{"words", ids}, {"words", positions}});
    x = b.linear("dense", x, {.activation = Activation::gelu});
    x = b.layer_norm("norm", x, 1e-5, Bias::none);
    const Rotary rotary = b.rotary(2, 10000);
    x = b.attention({.query = x, .key = x, .value = x, .heads = 2, .rotary_cos = rotary.cos, .rotary_sin = rotary.sin});
    b.output("hidden", x);
    b.output("pooled", b.pool(x, ops::PoolMode::mean));
    graph = b.finish();
  }
};

std::map<std::string, int> operators_of(const OnnxModel& model) {
  std::map<std::string, int> count;
  for (const OnnxNode& node : model.nodes) ++count[node.domain + ":" + node.type];
  return count;
}

std::vector<std::string> inputs_of(const OnnxModel& model) {
  std::vector<std::string> names;
  for (const OnnxInput& input : model.inputs) names.push_back(input.name);
  std::sort(names.begin(), names.end());
  return names;
}

const OnnxInitializer& initializer(const OnnxModel& model, const std::string& name) {
  const auto found = std::find_if(model.initializers.begin(), model.initializers.end(),
                                  [&](const OnnxInitializer& each) { return each.name == name; });
  if (found == model.initializers.end()) throw std::runtime_error("no initializer " + name);
  return *found;
}

TEST(ToOnnx, WritesStandardOperatorsUnlessToldOtherwise) {
  const SmallModel small;
  const OnnxModel model = to_onnx(small.graph, small.weights);
  EXPECT_FALSE(model.contrib);
  const auto operators = operators_of(model);
  EXPECT_EQ(operators.at(":LayerNormalization"), 1);
  EXPECT_EQ(operators.at(":Softmax"), 1);
  EXPECT_EQ(operators.at(":Erf"), 1);  // gelu in steps: an operator only from opset 20 on
  EXPECT_EQ(operators_of(to_onnx(small.graph, small.weights, {.opset = 20})).at(":Gelu"), 1);
}

TEST(ToOnnx, UsesTheRuntimesOwnOperatorsWhereAsked) {
  const SmallModel small;
  const OnnxModel model = to_onnx(small.graph, small.weights, {.contrib = ContribOperators::all()});
  EXPECT_TRUE(model.contrib);
  EXPECT_EQ(operators_of(model).at("com.microsoft:BiasGelu"), 1);
  EXPECT_EQ(operators_of(model).at("com.microsoft:RotaryEmbedding"), 2);
  EXPECT_EQ(operators_of(model).at("com.microsoft:MultiHeadAttention"), 1);
  EXPECT_FALSE(operators_of(model).contains(":Softmax"));
}

// x + dense(x) -> norm -> dense, and what was normed is read again where `again`.
OnnxModel lowered_sum(bool again) {
  Weights weights;
  weights.add("dense.weight", Tensor(DType::f32, {8, 8}));
  weights.add("norm.weight", Tensor(DType::f32, {8}));
  Builder b("encode", weights);
  const Value x = b.input("x", {Element::real, Shape{kBatch, 8}});
  const Value sum = b.linear("dense", x, {.residual = x, .bias = Bias::none});
  const Value normed = b.layer_norm("norm", sum, 1e-5, Bias::none);
  b.output("y", b.linear("dense", normed, {.residual = again ? sum : Value{}, .bias = Bias::none}));
  return to_onnx(b.finish(), weights, {.contrib = {.skip_norm = true}});
}

TEST(ToOnnx, LeavesASumToItsNorm) {
  const OnnxModel once = lowered_sum(false), twice = lowered_sum(true);
  const auto norm_of = [](const OnnxModel& model) {
    return *std::ranges::find_if(model.nodes, [](const OnnxNode& n) { return n.type == "SkipLayerNormalization"; });
  };
  EXPECT_FALSE(operators_of(once).contains(":Add"));
  EXPECT_EQ(norm_of(once).outputs.size(), 1U);
  ASSERT_EQ(norm_of(twice).outputs.size(), 4U);
  EXPECT_EQ(operators_of(twice).at(":Add"), 1);
  const auto add = std::ranges::find_if(twice.nodes, [](const OnnxNode& n) { return n.type == "Add"; });
  EXPECT_EQ(add->inputs[1], norm_of(twice).outputs[3]);
}

TEST(ToOnnx, CopiesNoKeyForTheHeadsThatShareIt) {
  Weights weights;
  Builder b("encode", weights);
  const Value q = b.input("q", {Element::real, Shape({kBatch, kTokens, 32}, true)}),
              kv = b.input("kv", {Element::real, Shape({kBatch, kTokens, 8}, true)});
  b.output("y", b.attention({.query = q, .key = kv, .value = kv, .heads = 4, .kv_heads = 1}));
  const OnnxModel model = to_onnx(b.finish(), weights);
  EXPECT_FALSE(operators_of(model).contains(":Expand"));
  EXPECT_EQ(operators_of(model).at(":MatMul"), 2);
}

TEST(ToOnnx, AsksForWhatARunKnows) {
  const SmallModel small;
  const OnnxModel model = to_onnx(small.graph, small.weights);
  EXPECT_EQ(inputs_of(model),
            (std::vector<std::string>{"attention_mask", "input_ids", "position_ids", "rotary theta=10000.000000"}));
}

TEST(ToOnnx, AsksForNoMoreThanTransformersWhenSelfContained) {
  const SmallModel small;
  // Frequencies stay f32 where the reals are f16: angles of far positions would be others.
  const OnnxModel model = to_onnx(small.graph, small.weights, {.self_contained = 16, .real = DType::f16});
  EXPECT_EQ(inputs_of(model), (std::vector<std::string>{"attention_mask", "input_ids"}));
  EXPECT_EQ(initializer(model, "rotary theta=10000.000000").dims, (Dims{2, 1}));
  EXPECT_EQ(initializer(model, "rotary theta=10000.000000").dtype, DType::f32);
}

TEST(ToOnnx, KeepsRowsWithoutPaddingWhereAsked) {
  const SmallModel small;
  const OnnxModel model = to_onnx(small.graph, small.weights, {.ragged = Ragged::rows});
  const auto ids = std::find_if(model.inputs.begin(), model.inputs.end(),
                                [](const OnnxInput& input) { return input.name == "input_ids"; });
  ASSERT_NE(ids, model.inputs.end());
  EXPECT_EQ(ids->shape.to_string(), "[tokens.rows]");
  EXPECT_EQ(model.outputs[0].shape.to_string(), "[tokens.rows, 4]");
  EXPECT_EQ(model.outputs[1].shape.to_string(), "[batch, 4]");
  EXPECT_EQ(operators_of(model).at(":Gemm"), 1);  // rows are a matrix: bias and all in one operator
}

TEST(ToOnnx, HandsWeightsOverInPlaceUnlessTheyMustTurn) {
  const SmallModel small;
  const OnnxModel as_stored = to_onnx(small.graph, small.weights, {.ragged = Ragged::rows});
  const OnnxInitializer& dense = initializer(as_stored, "dense.weight");
  EXPECT_TRUE(dense.in_place());
  EXPECT_EQ(dense.tensor().bytes().data(), small.weights.at("dense.weight").bytes.data());

  const OnnxModel turned = to_onnx(small.graph, small.weights, {.transpose_weights = true});
  EXPECT_EQ(initializer(turned, "dense.weight.transposed").dims, (Dims{8, 4}));
  EXPECT_FALSE(initializer(turned, "dense.weight.transposed").in_place());
}

TEST(ToOnnx, TurnsAndConvertsValues) {
  Weights weights;
  weights.add("w", Tensor::of<float>({2, 3}, {1, 2, 3, 4, 5, 6}));
  const OnnxInitializer turned{
      .name = "w", .dtype = DType::f32, .dims = {3, 2}, .weight = &weights.at("w"), .transposed = true};
  const Tensor values = turned.tensor();
  EXPECT_EQ(std::vector<float>(values.as<float>().begin(), values.as<float>().end()),
            (std::vector<float>{1, 4, 2, 5, 3, 6}));
  const OnnxInitializer half{.name = "w", .dtype = DType::f16, .dims = {2, 3}, .weight = &weights.at("w")};
  EXPECT_FALSE(half.in_place());
  EXPECT_EQ(half.tensor().dtype(), DType::f16);
}

TEST(ToOnnx, RefusesOpsetsThatItDoesNotWrite) {
  const SmallModel small;
  for (const int opset : {kOldestOpset - 1, kNewestOpset + 1}) {
    const Error error = error_of([&] { to_onnx(small.graph, small.weights, {.opset = opset}); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_TRUE(contains(error.message(), "17 to 23")) << error.message();
  }
}

TEST(ToBytes, LeavesOutWhatLiesElsewhere) {
  const SmallModel small;
  const OnnxModel model = to_onnx(small.graph, small.weights);
  const std::string whole = to_bytes(model);
  const std::string without = to_bytes(model, [](const OnnxInitializer& each) {
    return each.weight != nullptr ? std::optional(ExternalPlace{"weights.bin", 4096}) : std::nullopt;
  });
  EXPECT_TRUE(contains(without, "weights.bin"));
  EXPECT_FALSE(contains(whole, "weights.bin"));
  const std::string values(11 * 8 * sizeof(float), '\0');  // of the embedding
  EXPECT_FALSE(contains(without, values));
  EXPECT_TRUE(contains(whole, values));
}

}  // namespace
}  // namespace accelerate::lowering
