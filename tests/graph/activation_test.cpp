// Activations by name, against what Transformers' ACT2FN gave for the same numbers in f64 (5.23, PyTorch 2.15).
#include "graph/activation.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <string>

#include "graph/builder.hpp"
#include "graph/interpreter.hpp"

namespace accelerate {
namespace {

using Row = std::array<double, 10>;

constexpr Row kPoints = {-30, -4, -1.5, -0.25, 0, 0.75, 2.5, 7, 12, 30};

const std::map<std::string, Row>& expected() {
  static const std::map<std::string, Row> rows{
      {"gelu", {0, -0.000126684967, -0.100210802, -0.100323419, 0, 0.580029486, 2.48447584, 7, 12, 30}},
      {"gelu_10", {0, -0.000126684967, -0.100210802, -0.100323419, 0, 0.580029486, 2.48447584, 7, 10, 10}},
      {"gelu_fast", {0, -7.02459482e-05, -0.100428423, -0.100324649, 0, 0.579960555, 2.48491573, 7, 12, 30}},
      {"gelu_new", {0, -7.02459482e-05, -0.100428423, -0.100324649, 0, 0.579960555, 2.48491573, 7, 12, 30}},
      {"gelu_python", {0, -0.000126684967, -0.100210802, -0.100323419, 0, 0.580029486, 2.48447584, 7, 12, 30}},
      {"gelu_pytorch_tanh", {0, -7.02459482e-05, -0.100428423, -0.100324649, 0, 0.579960555, 2.48491573, 7, 12, 30}},
      {"gelu_python_tanh", {0, -7.02459482e-05, -0.100428423, -0.100324649, 0, 0.579960555, 2.48491573, 7, 12, 30}},
      {"gelu_accurate", {0, -7.02459482e-05, -0.100428423, -0.100324649, 0, 0.579960555, 2.48491573, 7, 12, 30}},
      {"hardswish", {0, 0, -0.375, -0.114583333, 0, 0.46875, 2.29166667, 7, 12, 30}},
      {"laplace", {0, 0, 2.55351296e-15, 0.000345843137, 0.00609445962, 0.560426887, 1, 1, 1, 1}},
      {"leaky_relu", {-0.3, -0.04, -0.015, -0.0025, 0, 0.75, 2.5, 7, 12, 30}},
      {"linear", {-30, -4, -1.5, -0.25, 0, 0.75, 2.5, 7, 12, 30}},
      {"mish",
       {-2.80728689e-12, -0.0725917408, -0.298099742, -0.129926964, 0, 0.610018335, 2.4713923, 6.99998838, 12, 30}},
      {"quick_gelu",
       {-2.00467977e-21, -0.00441472414, -0.108337802, -0.0988003501, 0, 0.586390058, 2.46501383, 6.99995313, 12, 30}},
      {"relu", {0, 0, 0, 0, 0, 0.75, 2.5, 7, 12, 30}},
      {"relu2", {0, 0, 0, 0, 0, 0.5625, 6.25, 49, 144, 900}},
      {"relu6", {0, 0, 0, 0, 0, 0.75, 2.5, 6, 6, 6}},
      {"sigmoid",
       {9.35762297e-14, 0.01798621, 0.182425524, 0.437823499, 0.5, 0.679178699, 0.92414182, 0.999088949, 0.999993856,
        1}},
      {"silu",
       {-2.80728689e-12, -0.0719448398, -0.273638286, -0.109455875, 0, 0.509384024, 2.31035455, 6.99362264, 11.9999263,
        30}},
      {"swish",
       {-2.80728689e-12, -0.0719448398, -0.273638286, -0.109455875, 0, 0.509384024, 2.31035455, 6.99362264, 11.9999263,
        30}},
      {"tanh", {-1, -0.9993293, -0.905148254, -0.244918662, 0, 0.635148952, 0.986614298, 0.999998337, 1, 1}},
  };
  return rows;
}

// Through the interpreter of primitives.
Row apply_to_points(Activation activation) {
  Builder b("one", Weights{});
  b.output("y", b.activate(b.input("x", {Element::real, Shape{kBatch, 10}}), activation));
  Feeds feeds;
  feeds.extents.set("batch", 1);
  const std::vector<float> points(kPoints.begin(), kPoints.end());
  feeds.tensors["x"] = Tensor::of<float>({1, 10}, points);
  const Outputs outputs = interpret(b.finish(), {}, feeds);
  Row row;
  std::copy_n(outputs.at("y").as<double>().data(), row.size(), row.data());
  return row;
}

TEST(Activation, EveryNameComputesWhatTransformersDoes) {
  for (const auto& [name, wanted] : expected()) {
    const Row found = apply_to_points(activation_named(name));
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(found[i], wanted[i], 1e-8 * (1 + std::abs(wanted[i]))) << name << " of " << kPoints[i];
    }
  }
}

TEST(Activation, TheFirstNameIsItsOwn) {
  for (const auto& [name, wanted] : expected()) {
    EXPECT_EQ(activation_named(name_of(activation_named(name))), activation_named(name));
  }
}

// With parameters of their own, or for routing: not for an encoder's layers.
TEST(Activation, OthersAreUnsupportedWithAListOfWhatThereIs) {
  for (const char* name : {"prelu", "xielu", "sqrtsoftplus", "", "GELU"}) {
    try {
      activation_named(name);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_NE(error.message().find("\"" + std::string(name) + "\""), std::string::npos);
      EXPECT_NE(error.message().find("hardswish"), std::string::npos) << error.message();
    }
  }
}

}  // namespace
}  // namespace accelerate
