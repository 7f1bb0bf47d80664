#include "graph/graph.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <tuple>

#include "graph/builder.hpp"
#include "graph/interpreter.hpp"
#include "graph/primitives.hpp"

namespace accelerate {
namespace {

Tensor tensor(Dims dims, const std::vector<float>& values) { return Tensor::of<float>(std::move(dims), values); }

template <typename T>
std::vector<T> values(const Tensor& from) {
  std::vector<T> result(static_cast<std::size_t>(from.elements()));
  std::copy_n(from.as<T>().data(), result.size(), result.data());
  return result;
}

// x [batch, tokens~, 2] -> linear to 3 with gelu -> mean over the tokens; the linear layer's output is also given.
struct SmallModel {
  Weights weights;
  Graph graph;

  SmallModel() {
    weights.add("dense.weight", tensor({3, 2}, {1, 0, 0, 1, 1, 1}));
    weights.add("dense.bias", tensor({3}, {0, 0, 10}));
    Builder b("small", weights);
    const Value x = b.input("x", {Element::real, Shape({kBatch, kTokens, 2}, true)});
    const Value y = b.linear("dense", x);
    b.output("rows", y);
    b.output("mean", b.pool(y, ops::PoolMode::mean));
    graph = b.finish();
  }

  Feeds feeds() const {
    Feeds feeds;
    feeds.extents.set_ragged("tokens", {1, 2});
    feeds.tensors["x"] = tensor({3, 2}, {1, 2, 3, 4, 5, 6});
    return feeds;
  }
};

TEST(Graph, InterpretsARaggedBatch) {
  const SmallModel model;
  const Outputs outputs = interpret(model.graph, model.weights, model.feeds());
  EXPECT_EQ(outputs.at("rows").dims(), (Dims{3, 3}));
  EXPECT_EQ(values<double>(outputs.at("rows")), (std::vector<double>{1, 2, 13, 3, 4, 17, 5, 6, 21}));
  EXPECT_EQ(values<double>(outputs.at("mean")), (std::vector<double>{1, 2, 13, 4, 5, 19}));
}

TEST(Graph, RestrictedToAnOutputKeepsWhatItNeeds) {
  const SmallModel model;
  const std::string names[] = {"rows"};
  const Graph rows = model.graph.restricted_to(names);
  EXPECT_EQ(rows.outputs().size(), 1U);
  EXPECT_EQ(rows.nodes().size(), model.graph.nodes().size() - 1);  // all but the pooling
  EXPECT_EQ(interpret(rows, model.weights, model.feeds()).count("mean"), 0U);
}

TEST(Graph, AnUnknownOutputListsThoseThereAre) {
  const SmallModel model;
  const std::string names[] = {"logits"};
  try {
    model.graph.restricted_to(names);
    FAIL() << "took an output that is not there";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_NE(error.message().find("rows, mean"), std::string::npos) << error.what();
  }
}

TEST(Graph, CountsWhatItCosts) {
  const SmallModel model;
  // The product is 2 * rows * 2 * 3, the mean one addition a number.
  EXPECT_EQ(model.graph.cost().flops, Dim(12) * Dim::symbol("tokens.rows") + Dim(3) * Dim::symbol("tokens.rows"));
  EXPECT_EQ(model.graph.cost().flops.evaluate(model.feeds().extents), 45);
}

TEST(Graph, DumpsAsTextAndGraphviz) {
  const SmallModel model;
  const std::string text = to_text(model.graph);
  EXPECT_NE(text.find("= linear(x, dense.weight, dense.bias, -) : real [batch, tokens~, 3]  # dense"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("pool(%3) mode=mean : real [batch, 3]"), std::string::npos) << text;
  const std::string dot = to_graphviz(model.graph);
  EXPECT_TRUE(dot.starts_with("digraph \"small\" {")) << dot;
  EXPECT_NE(dot.find("n3 -> n4;"), std::string::npos) << dot;
}

TEST(Graph, FeedsAreChecked) {
  const SmallModel model;
  Feeds feeds = model.feeds();
  feeds.tensors["x"] = Tensor(DType::f32, {2, 2});
  try {
    interpret(model.graph, model.weights, feeds);
    FAIL() << "took two rows for three";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    EXPECT_NE(error.message().find("[2, 2], expected f32 [3, 2]"), std::string::npos) << error.what();
  }
  feeds.tensors.clear();
  EXPECT_THROW(interpret(model.graph, model.weights, feeds), Error);
}

TEST(Graph, PrimitivesAreEnough) {
  const SmallModel model;
  const Graph primitives = decompose(model.graph);
  for (const Node& node : primitives.nodes()) {
    if (node.operation != nullptr) {
      EXPECT_NE(dynamic_cast<const Primitive*>(node.operation.get()), nullptr) << node.operation->name();
    }
  }
}

// Experts of one number each: gate 1, and up and down as given.
struct ThreeExperts {
  Weights weights;
  Builder b{"experts", weights};
  Value x = b.input("x", {Element::real, Shape({kBatch, kTokens, 1}, true)});

  ThreeExperts() {
    for (const auto& [expert, up, down] :
         {std::tuple{"0", 1.0F, 1.0F}, std::tuple{"1", 2.0F, 1.0F}, std::tuple{"2", 5.0F, 10.0F}}) {
      const std::string name = std::string("all.") + expert + ".";
      weights.add(name + "gate.weight", tensor({1, 1}, {1}));
      weights.add(name + "up.weight", tensor({1, 1}, {up}));
      weights.add(name + "down.weight", tensor({1, 1}, {down}));
    }
  }
  Value add(std::int64_t scores, std::int64_t chosen) {
    const Value score = b.input("scores", {Element::real, Shape({kBatch, kTokens, scores}, true)});
    return b.experts("all", x, score, {.chosen = chosen, .gate = "gate", .up = "up", .down = "down"});
  }
};

TEST(Experts, AreChosenByTheirScoresAndShareByThem) {
  ThreeExperts model;
  model.b.output("y", model.add(3, 2));
  Feeds feeds;
  feeds.extents.set_ragged("tokens", {3});
  feeds.tensors["x"] = tensor({3, 1}, {2, 2, 3});
  // By quarters; equal ones, of which the first two are taken; the last two by halves.
  feeds.tensors["scores"] = tensor({3, 3}, {0, std::log(3.0F), -5, 7, 7, 7, 1, 2, 2});
  const Outputs outputs = interpret(model.b.finish(), model.weights, feeds);
  const std::vector<double> found = values<double>(outputs.at("y"));
  EXPECT_NEAR(found[0], 0.25 * 4 + 0.75 * 8, 1e-6);
  EXPECT_NEAR(found[1], 0.5 * 4 + 0.5 * 8, 1e-12);
  EXPECT_NEAR(found[2], 0.5 * 18 + 0.5 * 450, 1e-12);
}

TEST(Experts, SayWhatDoesNotFit) {
  const auto message_of = [](std::int64_t scores, std::int64_t chosen, const char* resized = nullptr) {
    ThreeExperts model;
    if (resized != nullptr) model.weights.add(resized, tensor({1, 2}, {1, 1}));
    try {
      model.add(scores, chosen);
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message_of(3, 3), "");
  EXPECT_NE(message_of(3, 4).find("chooses 4 of 3 experts"), std::string::npos);
  EXPECT_NE(message_of(3, 0).find("chooses 0 of 3 experts"), std::string::npos);
  EXPECT_NE(message_of(4, 1).find("all.3.gate.weight"), std::string::npos) << "a fourth that is not there";
  EXPECT_NE(message_of(3, 1, "all.2.down.weight").find("[1, 2], expected [1, 1]"), std::string::npos);
}

TEST(Builder, NamesTheWeightThatDoesNotFit) {
  Weights weights;
  weights.add("layer.0.dense.weight", Tensor(DType::f32, {3, 5}));
  weights.add("layer.0.dense.bias", Tensor(DType::f32, {3}));
  Builder b("broken", weights);
  const Value x = b.input("x", {Element::real, Shape{kBatch, 4}});
  const auto scope = b.scope("layer", 0);
  try {
    b.linear("dense", x);
    FAIL() << "multiplied 4 columns with a weight of 5";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layer.0.dense.weight"), std::string::npos) << error.what();
    EXPECT_NE(error.message().find("[3, 5], expected [3, 4]"), std::string::npos) << error.what();
  }
}

TEST(Builder, AsksOnceForAParameterUsedTwice) {
  Weights weights;
  weights.add("dense.weight", Tensor(DType::f32, {4, 4}));
  weights.add("dense.bias", Tensor(DType::f32, {4}));
  Builder b("twice", weights);
  const Value x = b.input("x", {Element::real, Shape{kBatch, 4}});
  b.output("y", b.linear("dense", b.linear("dense", x)));
  EXPECT_EQ(b.finish().nodes().size(), 5U);  // x, weight, bias, two products
}

TEST(Weights, PreparedCopiesAreShared) {
  const Weights weights;
  int made = 0;
  const auto make = [&]() -> std::shared_ptr<const void> { return std::make_shared<int>(++made); };
  const auto first = weights.prepared("a", make);
  EXPECT_EQ(weights.prepared("a", make), first);
  EXPECT_EQ(made, 1);
  weights.prepared("b", make);
  EXPECT_EQ(made, 2);
}

TEST(Weights, ReadsTransposedAndHalfWidthValues) {
  Weights weights;
  weights.add("half", tensor({2}, {1.5F, -2}).to(DType::bf16));
  EXPECT_EQ(values<float>(weights.at("half").to_f32()), (std::vector<float>{1.5F, -2}));
  Weight weight = weights.at("half");
  const Tensor stored = tensor({2, 3}, {1, 2, 3, 4, 5, 6});
  weight.encoding = Encoding::plain(DType::f32);
  weight.bytes = stored.bytes();
  weight.transposed = true;
  weight.dims = {3, 2};
  EXPECT_EQ(values<float>(weight.to_f32()), (std::vector<float>{1, 4, 2, 5, 3, 6}));
}

// The first number of each row, found by its runs.
std::vector<float> firsts_by_runs(const Weight& weight) {
  const auto* numbers = reinterpret_cast<const float*>(weight.bytes.data());
  std::vector<float> firsts;
  for (const RowRun& run : weight.row_runs()) {
    const std::int64_t stride = run.stride == 0 ? weight.dims[1] : run.stride;
    for (std::int64_t row = 0; row < run.rows; ++row) firsts.push_back(numbers[run.first + row * stride]);
  }
  return firsts;
}

std::vector<float> firsts(const Tensor& matrix) {
  std::vector<float> firsts;
  for (std::int64_t row = 0; row < matrix.dim(0); ++row) firsts.push_back(matrix.as<float>()[row * matrix.dim(1)]);
  return firsts;
}

TEST(Weights, RowsLieWhereTheirRunsSay) {
  std::vector<float> numbers(24 * 2);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  Weights weights;
  weights.add("whole", tensor({24, 2}, numbers));
  Weight weight = weights.at("whole");
  EXPECT_TRUE(weight.is_plain(DType::f32));
  EXPECT_EQ(firsts_by_runs(weight), firsts(weight.to_f32()));

  weight.encoding.alternating_heads = 3;
  EXPECT_FALSE(weight.is_plain(DType::f32));
  EXPECT_TRUE(weight.has_rows_of(DType::f32));
  EXPECT_FALSE(weight.has_rows_of(DType::bf16));
  EXPECT_EQ(firsts_by_runs(weight), firsts(weight.to_f32()));
  EXPECT_EQ(firsts_by_runs(weight)[1], 4);  // the second row of a head is stored as its third

  // Three rows of every eight, as the queries of heads that lie with their keys and values.
  weight.encoding.alternating_heads = 0;
  weight.dims = {9, 2};
  weight.stride = 16;
  weight.run = 3;
  EXPECT_EQ(firsts_by_runs(weight), firsts(weight.to_f32()));
  EXPECT_EQ(firsts_by_runs(weight)[3], 16);

  weight.encoding.added = 1;
  EXPECT_FALSE(weight.has_rows_of(DType::f32));
}

}  // namespace
}  // namespace accelerate
