// Graphs cut into parts: the fewest there can be, what crosses, and that nothing is lost.
#include "graph/partition.hpp"

#include <gtest/gtest.h>

#include <set>

#include "graph/builder.hpp"
#include "graph/interpreter.hpp"

namespace accelerate {
namespace {

const Type kRows{Element::real, Shape({kBatch, kTokens, 8}, true)};

// Two layers of activate, normalize and add, and one vector an item.
Graph two_layers() {
  const Weights none;
  Builder b("encode", none);
  Value x = b.input("x", kRows);
  for (int layer = 0; layer < 2; ++layer) {
    const Value inner = b.activate(x, Activation::gelu);
    x = b.add(x, b.normalize(inner));
  }
  b.output("rows", x);
  b.output("pooled", b.pool(x, ops::PoolMode::mean));
  return b.finish();
}

std::function<bool(const Node&)> are(std::set<std::string> names) {
  return [names = std::move(names)](const Node& node) { return names.contains(std::string(node.operation->name())); };
}

std::vector<std::string> operations_of(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    if (node.source == Node::Source::operation) names.emplace_back(node.operation->name());
  }
  return names;
}

Feeds some_feeds() {
  Feeds feeds;
  feeds.extents.set_ragged("tokens", {3, 1});
  Tensor x(DType::f32, {4, 8});
  for (std::size_t i = 0; i < 32; ++i) x.as<float>()[i] = 0.25F * static_cast<float>(i % 7) - 0.5F;
  feeds.tensors["x"] = x;
  return feeds;
}

// One part after the other, each by the interpreter.
Outputs run_parts(const Graph& whole, const std::vector<GraphPart>& parts) {
  const Weights none;
  Feeds feeds = some_feeds();
  for (const GraphPart& part : parts) {
    for (auto& [name, tensor] : interpret(part.graph, none, feeds)) feeds.tensors[name] = tensor.to(DType::f32);
  }
  Outputs outputs;
  for (const Graph::Output& output : whole.outputs()) {
    outputs[output.name] = feeds.tensors.at(crossing_name(output.value));
  }
  return outputs;
}

TEST(Partition, WhatIsAlikeIsOnePart) {
  const std::vector<GraphPart> parts = partition(two_layers(), are({}));
  ASSERT_EQ(parts.size(), 1U);
  EXPECT_FALSE(parts[0].apart);
  EXPECT_EQ(operations_of(parts[0].graph), operations_of(two_layers()));
  EXPECT_TRUE(partition(two_layers(), are({"activate", "normalize", "add", "pool"})).at(0).apart);
}

TEST(Partition, PartsAreFewAndTakeTurns) {
  const std::vector<GraphPart> parts = partition(two_layers(), are({"normalize"}));
  ASSERT_EQ(parts.size(), 5U);
  using Names = std::vector<std::string>;
  EXPECT_EQ(operations_of(parts[0].graph), Names{"activate"});
  EXPECT_EQ(operations_of(parts[1].graph), Names{"normalize"});
  EXPECT_EQ(operations_of(parts[2].graph), (Names{"add", "activate"}));
  EXPECT_EQ(operations_of(parts[4].graph), (Names{"add", "pool"}));
  for (std::size_t i = 0; i < parts.size(); ++i) EXPECT_EQ(parts[i].apart, i % 2 == 1);
  // Two operations that follow each other are apart together.
  EXPECT_EQ(partition(two_layers(), are({"activate", "normalize"})).size(), 4U);
}

TEST(Partition, WhatCrossesIsOutputOfOneAndInputOfTheNext) {
  const Graph whole = two_layers();
  const std::vector<GraphPart> parts = partition(whole, are({"normalize"}));
  const std::string activated = parts[0].graph.outputs().at(0).name;
  const Node* input = parts[1].graph.find_input(activated);
  ASSERT_NE(input, nullptr);
  EXPECT_EQ(input->type, kRows);  // ragged as before
  EXPECT_NE(parts[2].graph.find_input("x"), nullptr);
  for (const GraphPart& part : parts) {
    ASSERT_EQ(part.nodes.size(), part.graph.nodes().size());
    for (std::size_t i = 0; i < part.nodes.size(); ++i) {
      EXPECT_EQ(part.graph.nodes()[i].type, whole.nodes()[part.nodes[i]].type);
    }
  }
}

TEST(Partition, PartsComputeWhatTheWholeComputes) {
  const Graph whole = two_layers();
  const Weights none;
  const Outputs expected = interpret(whole, none, some_feeds());
  for (const char* apart : {"activate", "normalize", "add", "pool"}) {
    const Outputs found = run_parts(whole, partition(whole, are({apart})));
    for (const auto& [name, tensor] : expected) {
      const Tensor exact = found.at(name).to(DType::f64);
      ASSERT_EQ(exact.dims(), tensor.dims());
      for (std::size_t i = 0; i < static_cast<std::size_t>(tensor.elements()); ++i) {
        EXPECT_NEAR(exact.as<double>()[i], tensor.as<double>()[i], 1e-6) << apart << " " << name << " " << i;
      }
    }
  }
}

TEST(Partition, AnOutputThatIsAnInputComesOutOfTheFirstPart) {
  const Weights none;
  Builder b("encode", none);
  const Value x = b.input("x", kRows);
  b.output("same", x);
  b.output("pooled", b.pool(b.normalize(x), ops::PoolMode::mean));
  const Graph whole = b.finish();
  const std::vector<GraphPart> parts = partition(whole, are({"normalize"}));
  ASSERT_EQ(parts.size(), 2U);
  EXPECT_NE(parts[0].graph.find_output(crossing_name(x)), nullptr);
  EXPECT_EQ(run_parts(whole, parts).at("same").dims(), (Dims{4, 8}));
}

TEST(Partition, ASideHasAllOperationsOfItsKind) {
  const GraphPart side = side_of(two_layers(), are({"normalize"}), true);
  EXPECT_EQ(operations_of(side.graph), (std::vector<std::string>{"normalize", "normalize"}));
  EXPECT_TRUE(side_of(two_layers(), are({}), true).nodes.empty());
}

}  // namespace
}  // namespace accelerate
