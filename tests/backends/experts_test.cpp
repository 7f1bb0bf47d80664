// Experts whose matrices are not stored alike.
#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "backends/backend.hpp"
#include "graph/builder.hpp"
#include "graph/feeds.hpp"
#include "graph/interpreter.hpp"

namespace accelerate {
namespace {

constexpr std::int64_t kRows = 5, kWidth = 1024, kInner = 48;  // rows of so many inputs are copied for 16-bit weights

Tensor random(Dims dims, unsigned seed, float scale) {
  Tensor tensor(DType::f32, std::move(dims));
  std::mt19937 generator(seed);
  std::normal_distribution<float> normal(0.0F, scale);
  for (float& value : tensor.as<float>()) value = normal(generator);
  return tensor;
}

struct TwoExperts {
  std::shared_ptr<Weights> weights = std::make_shared<Weights>();
  Graph graph;
  Feeds feeds;

  TwoExperts(DType first, DType second) {
    for (int expert = 0; expert < 2; ++expert) {
      const DType type = expert == 0 ? first : second;
      const std::string name = "experts." + std::to_string(expert);
      const auto seed = static_cast<unsigned>(expert);
      weights->add(name + ".gate.weight", random({kInner, kWidth}, seed, 0.05F).to(type));
      weights->add(name + ".up.weight", random({kInner, kWidth}, seed + 10, 0.05F).to(type));
      weights->add(name + ".down.weight", random({kWidth, kInner}, seed + 20, 0.2F).to(type));
    }
    Builder b("experts", *weights);
    const Value x = b.input("x", {Element::real, Shape({kBatch, kTokens, kWidth}, true)});
    const Value scores = b.input("scores", {Element::real, Shape({kBatch, kTokens, 2}, true)});
    b.output("y", b.experts("experts", x, scores,
                            {.activation = Activation::silu, .gate = "gate", .up = "up", .down = "down"}));
    graph = b.finish();
    feeds.extents.set_ragged("tokens", {kRows});
    feeds.tensors["x"] = random({kRows, kWidth}, 5, 1.0F);
    feeds.tensors["scores"] = random({kRows, 2}, 6, 1.0F);
    // All but one row choose the second.
    for (std::int64_t row = 1; row < kRows; ++row) feeds.tensors["scores"].as<float>()[2 * row + 1] = 9;
    feeds.tensors["scores"].as<float>()[0] = 9;
  }
  std::int64_t workspace() const {
    return backend_named("cpu").memory(graph, *weights, feeds.extents, {.threads = 1}).workspace;
  }
};

TEST(Experts, ThatAreStoredInSeveralTypesHaveRoom) {
  const std::int64_t needed = TwoExperts(DType::f16, DType::f16).workspace();
  EXPECT_GT(needed, TwoExperts(DType::f32, DType::f32).workspace());
  EXPECT_EQ(TwoExperts(DType::f32, DType::f16).workspace(), needed);
  EXPECT_EQ(TwoExperts(DType::bf16, DType::f32).workspace(), needed);
}

TEST(Experts, ThatAreStoredInSeveralTypesGiveWhatTheInterpreterGives) {
  for (const DType first : {DType::f32, DType::f16}) {
    for (const DType second : {DType::f16, DType::bf16}) {
      const TwoExperts experts(first, second);
      const Outputs found =
          backend_named("cpu").compile(experts.graph, experts.weights, {.threads = 1})->start()->run(experts.feeds);
      const Outputs expected = interpret(experts.graph, *experts.weights, experts.feeds);
      const auto y = found.at("y").as<float>();
      const auto want = expected.at("y").as<double>();
      for (std::size_t i = 0; i < want.size(); ++i) ASSERT_NEAR(y[i], want[i], 2e-4 * (1 + std::abs(want[i]))) << i;
    }
  }
}

}  // namespace
}  // namespace accelerate
