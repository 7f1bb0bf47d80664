// What holds of every backend that stands on a runtime: the library that is there and the one that is not, sessions.
#include <gtest/gtest.h>

#include <algorithm>
#include <thread>

#include "backends/forwarding_backend.hpp"
#include "backends/place.hpp"
#include "backends/product.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"

namespace accelerate {
namespace {

using test::expect_product;
using test::Product;

class Runtime : public testing::TestWithParam<std::string> {
 protected:
  const Backend& backend() const { return backend_named(GetParam()); }
  Error compile_error(const CompileOptions& options = {}) const {
    return error_of([&] { backend().compile(product_.graph, product_.weights, options); });
  }

  Product product_;
};
INSTANTIATE_TEST_SUITE_P(Backends, Runtime, testing::Values("onnx", "openvino"),
                         [](const auto& each) { return each.param; });

TEST_P(Runtime, ThatIsAbsentIsSaidWithWhereItWasLookedFor) {
  const TemporaryFolder empty;
  test::Environment named;
  named.set(test::library_variable(GetParam()), empty.path().string());
  EXPECT_TRUE(backend().devices().empty());
  EXPECT_EQ(backend().precisions({}), std::vector{Precision::f32});
  const Error error = compile_error();
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), empty.path().string())) << error.what();
  EXPECT_TRUE(contains(error.hint(), "pip install " + std::string(GetParam() == "onnx" ? "onnxruntime" : "openvino")));
  EXPECT_TRUE(contains(error.hint(), test::library_variable(GetParam()))) << error.what();
  EXPECT_TRUE(contains(error.where(), "backend " + GetParam())) << error.what();
  EXPECT_EQ(place_named(GetParam() + ":cuda:0").device, "cuda:0") << "compiling says why not";
}

TEST_P(Runtime, ThatIsNoLibraryIsSaid) {
  const TemporaryFolder folder;
  test::Environment named;
  named.set(test::library_variable(GetParam()), folder.write("library.so", "no library").string());
  const Error error = compile_error();
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "does not open")) << error.what();
}

// Also in front of the backend; our own computes no padding.
TEST_P(Runtime, PadsItsRuns) {
  const class : public ForwardingBackend { using ForwardingBackend::ForwardingBackend; } before(borrowed(backend()));
  const RunCost processor = before.run_cost("cpu"), graphics = before.run_cost(GetParam() == "onnx" ? "cuda:0" : "gpu");
  EXPECT_TRUE(processor.padded && graphics.padded);
  EXPECT_LT(processor.tokens, graphics.tokens);
  EXPECT_EQ(before.run_cost({}).tokens, processor.tokens);
  EXPECT_FALSE(backend_named("cpu").run_cost({}).padded);
}

// What devices were found to be holds as long as these files stay: also in front of the backend.
TEST_P(Runtime, NamesTheFilesThatItWouldLoad) {
  const TemporaryFolder folder;
  test::Environment named;
  named.set(test::library_variable(GetParam()), folder.path().string());
  const auto has = [](const std::vector<std::string>& files, const std::string& file) {
    return std::ranges::find(files, file) != files.end();
  };
  EXPECT_TRUE(has(backend().files(), folder.path().string())) << "looked into in vain";
  const std::string file =
      folder.write(GetParam() == "onnx" ? "libonnxruntime.so.1" : "libopenvino_c.so", "later").string();
  EXPECT_TRUE(has(backend().files(), file));
  const class : public ForwardingBackend { using ForwardingBackend::ForwardingBackend; } before(borrowed(backend()));
  EXPECT_TRUE(has(before.files(), file));
  EXPECT_EQ(before.knows("gpu"), backend().knows("gpu"));
}

class RuntimeHere : public Runtime {
 protected:
  void SetUp() override {
    if (const std::string why = test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
  }
  std::unique_ptr<Plan> compile() const { return backend().compile(product_.graph, product_.weights, {.threads = 1}); }
};
INSTANTIATE_TEST_SUITE_P(Backends, RuntimeHere, testing::Values("onnx", "openvino"),
                         [](const auto& each) { return each.param; });

// A list says no more than that there is no such device; the runtime knows why.
TEST_P(RuntimeHere, SaysWhyADeviceThatItKnowsIsNotHere) {
  const std::string device = GetParam() == "onnx" ? "tensorrt:3" : "npu";
  const Place place = place_named(GetParam() + ":" + device);
  EXPECT_EQ(place.device, device);
  EXPECT_EQ(compile_error({.device = device}).kind(), ErrorKind::unavailable);
  EXPECT_EQ(error_of([&] { place_named(GetParam() + ":abacus"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { place_named(GetParam() + ":cpu:9"); }).kind(), ErrorKind::not_found);
}

TEST_P(RuntimeHere, RunsSessionsOfOnePlanAtTheSameTime) {
  const auto plan = compile();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      const auto session = plan->start();
      for (int run = 0; run < 50; ++run) expect_product(session->run(product_.feeds).at("y"));
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_P(RuntimeHere, TakesOtherSizesInEachRun) {
  const auto session = compile()->start();
  expect_product(session->run(product_.feeds).at("y"));
  Feeds longer;
  longer.extents.set_ragged("tokens", {1, 4});
  longer.tensors["x"] = Tensor::of<float>({5, 2}, {0, 0, 0, 0, 0, 0, 0, 0, 1, 1});
  const Tensor y = session->run(longer).at("y");
  ASSERT_EQ(y.dims(), (Dims{5, 1}));
  EXPECT_EQ(y.as<float>()[4], 11);
  expect_product(session->run(product_.feeds).at("y"));
}

TEST_P(RuntimeHere, SessionsOutliveTheirPlanAndItsWeights) {
  auto plan = compile();
  const auto session = plan->start();
  plan.reset();
  product_.weights.reset();
  expect_product(session->run(product_.feeds).at("y"));
}

TEST_P(RuntimeHere, NamesAnInputThatIsMissing) {
  const auto session = compile()->start();
  product_.feeds.tensors.clear();
  const Error error = error_of([&] { session->run(product_.feeds); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(error.message(), "\"x\"")) << error.what();
}

TEST_P(RuntimeHere, StopsBetweenRuns) {
  const auto session = compile()->start();
  product_.feeds.cancellation.cancel();
  EXPECT_EQ(error_of([&] { session->run(product_.feeds); }).kind(), ErrorKind::interrupted);
}

}  // namespace
}  // namespace accelerate
