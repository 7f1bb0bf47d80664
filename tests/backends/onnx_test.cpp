// ONNX Runtime as a backend: the library that is there and the one that is not, devices, sessions.
#include <gtest/gtest.h>

#include <algorithm>

#include "backends/onnx/library.hpp"
#include "backends/onnx/onnx_backend.hpp"
#include "backends/onnx/onnx_plan.hpp"
#include "backends/product.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"
#include "graph/ops/embedding.hpp"
#include "lowering/int8.hpp"

namespace accelerate::onnx {
namespace {

using test::expect_product;
using test::Product;

TEST(OnnxLibrary, ThatIsAnotherOneIsSaid) {
  test::Environment another;
  another.set(kLibraryVariable, "libm.so.6");
  const Error error = error_of([] { Library::open(); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "OrtGetApiBase")) << error.what();
}

TEST(OnnxBackend, RefusesPrecisionsThatItHasNot) {
  const Product product;
  for (const Precision precision : {Precision::bf16, Precision::f16, Precision::int4}) {
    const Error error =
        error_of([&] { make_backend()->compile(product.graph, product.weights, {.precision = precision}); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_TRUE(contains(error.message(), std::string(name_of(precision)))) << error.what();
    EXPECT_TRUE(contains(error.message(), "only f32 and int8")) << error.what();
  }
}

TEST(OnnxBackend, ComputesInHalvesOnGpusOnly) {
  const Product product;
  for (const Provider& provider : providers()) {
    const bool halves = provider.device == "cuda" || provider.device == "tensorrt" || provider.device == "migraphx";
    const auto lower = [&] { return lowering_options(provider, product.graph, {.precision = Precision::f16}).real; };
    EXPECT_EQ(std::ranges::count(precisions_of(provider), Precision::f16), halves ? 1 : 0) << provider.device;
    if (halves) {
      EXPECT_EQ(lower(), DType::f16);
      EXPECT_EQ(lowering_options(provider, product.graph, {}).real, DType::f32);
      continue;
    }
    const Error error = error_of([&] { lower(); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_TRUE(contains(error.message(), provider.device == "cpu" ? "only f32 and int8" : "only f32")) << error.what();
    EXPECT_TRUE(contains(error.where(), std::string(provider.device))) << error.what();
  }
}

TEST(OnnxBackend, ComputesAWholeModelInHalvesOrNothing) {
  const Product product;
  const std::string path = lowering::int8_products(product.graph).front();
  const auto refused = [&](Precision all, Precision one) {
    const Error error = error_of([&] {
      make_backend()->compile(product.graph, product.weights,
                              {.device = "cuda:0", .precision = all, .overrides = {{path, one}}});
    });
    return error.kind() == ErrorKind::unsupported && contains(error.where(), path) &&
           contains(error.message(), "beside f32");
  };
  EXPECT_TRUE(refused(Precision::f16, Precision::f32));
  EXPECT_TRUE(refused(Precision::f32, Precision::f16));
  EXPECT_FALSE(refused(Precision::f16, Precision::f16)) << "which says the same twice";
  EXPECT_TRUE(make_backend()->lowered(product.graph, "cuda:0").empty()) << "nothing there to keep";
  const auto weights = [&](const CompileOptions& options) {
    return make_backend()->memory(product.graph, *product.weights, product.feeds.extents, options).weights;
  };
  EXPECT_GT(weights({}), weights({.device = "cuda:0", .precision = Precision::f16}));
}

TEST(OnnxBackend, MultipliesBytesOnTheProcessorOnly) {
  const Product product;
  for (const Provider& provider : providers()) {
    const auto lower = [&] { return lowering_options(provider, product.graph, {.precision = Precision::int8}); };
    if (provider.device == "cpu") {
      EXPECT_EQ(lower().int8.size(), 1U);
      continue;
    }
    const Error error = error_of([&] { lower(); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_TRUE(contains(error.where(), std::string(provider.device))) << error.what();
    EXPECT_TRUE(lowering_options(provider, product.graph, {}).int8.empty());
  }
}

// Products by the paths of overrides are the other way.
TEST(OnnxBackend, LowersWhatIsAskedFor) {
  const Product product;
  EXPECT_EQ(make_backend()->lowered(product.graph, {}).size(), 1U);
  const std::string path = make_backend()->lowered(product.graph, {}).front();
  const Provider& processor = providers().front();
  EXPECT_TRUE(
      lowering_options(processor, product.graph, {.precision = Precision::int8, .overrides = {{path, Precision::f32}}})
          .int8.empty());
  EXPECT_EQ(lowering_options(processor, product.graph, {.overrides = {{path, Precision::int8}}}).int8.size(), 1U);
}

TEST(OnnxBackend, PredictsWeightsAndMappedBytes) {
  const Product product;
  const MemoryEstimate estimate = make_backend()->memory(product.graph, *product.weights, product.feeds.extents, {});
  EXPECT_EQ(estimate.mapped, 8);
  EXPECT_EQ(estimate.weights, 16 * 2 * 4);  // a panel of 16 columns
  EXPECT_GT(estimate.activations, 0);
  EXPECT_GT(estimate.runtime, 0);
  EXPECT_TRUE(estimate.estimated);
  EXPECT_EQ(estimate.total(), estimate.weights + estimate.activations + estimate.workspace + estimate.runtime);
  const MemoryEstimate bytes =
      make_backend()->memory(product.graph, *product.weights, product.feeds.extents, {.precision = Precision::int8});
  EXPECT_EQ(bytes.mapped, 0);
  EXPECT_EQ(bytes.weights, 2 + 4);  // two steps and their scale
}

class OnnxRuntime : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  }
  Product product_;
  std::unique_ptr<Backend> backend_ = make_backend();
};

TEST_F(OnnxRuntime, HasTheProcessorAsItsFirstDevice) {
  const std::vector<Device> devices = backend_->devices();
  ASSERT_FALSE(devices.empty());
  EXPECT_EQ(devices[0].name, "onnx:cpu");
  EXPECT_TRUE(contains(devices[0].description, Library::open()->version())) << devices[0].description;
}

TEST_F(OnnxRuntime, RunsByTheNameOfADeviceAndWithout) {
  for (const char* device : {"", "cpu"}) {
    const auto plan = backend_->compile(product_.graph, product_.weights, {.device = device, .threads = 1});
    expect_product(plan->start()->run(product_.feeds).at("y"));
  }
}

TEST_F(OnnxRuntime, MultipliesBytes) {
  const auto plan = backend_->compile(product_.graph, product_.weights, {.precision = Precision::int8, .threads = 1});
  product_.weights.reset();  // read while it compiles only
  const Tensor y = plan->start()->run(product_.feeds).at("y");
  ASSERT_EQ(y.dims(), (Dims{3, 1}));
  const std::vector<float> wanted{12, 34, 56};
  for (std::size_t row = 0; row < wanted.size(); ++row) {
    EXPECT_NEAR(y.as<float>()[row], wanted[row], 2 * wanted[row] / 127) << "two roundings to 7 bits";
  }
}

TEST_F(OnnxRuntime, RefusesDevicesThatThereAreNot) {
  const auto compile = [&](const std::string& device) {
    return error_of([&] { backend_->compile(product_.graph, product_.weights, {.device = device}); });
  };
  for (const char* device : {"gpu", "cpu:0", "cuda:x", "cuda:-1", "cuda:"}) {
    const Error error = compile(device);
    EXPECT_EQ(error.kind(), ErrorKind::not_found) << device;
    EXPECT_TRUE(contains(error.message(), "tensorrt")) << error.what();
  }
  const std::vector<std::string> built = Library::open()->providers();
  if (std::find(built.begin(), built.end(), "CUDAExecutionProvider") == built.end()) {
    EXPECT_EQ(compile("cuda:0").kind(), ErrorKind::unavailable);
  }
}

TEST_F(OnnxRuntime, SaysWhichIndexIsTooLarge) {
  product_.weights->add("table", Tensor::of<float>({3, 1}, {0, 1, 2}));
  Builder b("lookup", *product_.weights);
  b.output("y", b.apply(std::make_shared<ops::Embedding>(), {b.weight("table"), b.token_input("ids")}));
  const auto session = backend_->compile(b.finish(), product_.weights, {.threads = 1})->start();
  product_.feeds.tensors = {};
  product_.feeds.tensors["ids"] = Tensor::of<std::int64_t>({3}, {0, 2, 3});
  const Error error = error_of([&] { session->run(product_.feeds); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(error.message(), "3")) << error.what();
}

}  // namespace
}  // namespace accelerate::onnx
