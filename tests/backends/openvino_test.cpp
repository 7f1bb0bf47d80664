// OpenVINO as a backend: the library that is there and the one that is not, devices, precisions, sessions.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "backends/openvino/devices.hpp"
#include "backends/openvino/library.hpp"
#include "backends/openvino/openvino_backend.hpp"
#include "backends/product.hpp"
#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"

namespace accelerate::openvino {
namespace {

using test::expect_product;
using test::Product;

TEST(OpenVinoLibrary, ThatIsAnotherOneIsSaid) {
  test::Environment another;
  another.set(kLibraryVariable, "libm.so.6");
  const Error error = error_of([] { Library::open(); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "ov_get_openvino_version")) << error.what();
}

TEST(OpenVinoLibrary, ThatIsTooOldIsNotListedAndItIsSaid) {
  test::Environment old;
  old.set(kLibraryVariable, OLD_OPENVINO_LIBRARY);
  EXPECT_TRUE(make_backend()->devices().empty());
  const Error error = error_of([] { Library::open(); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(), "is OpenVINO 2023.3.0");
  EXPECT_TRUE(contains(error.hint(), "2025 or newer")) << error.hint();
}

TEST(OpenVinoBackend, ComputesAGraphInOnePrecision) {
  const Product product;
  const CompileOptions mixed{.precision = Precision::bf16, .overrides = {{"layer.0", Precision::f32}}};
  const Error error = error_of([&] { make_backend()->compile(product.graph, product.weights, mixed); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.where(), "layer.0")) << error.what();
}

TEST(OpenVinoBackend, PredictsWeightsAndActivations) {
  const Product product;
  const MemoryEstimate estimate = make_backend()->memory(product.graph, *product.weights, product.feeds.extents, {});
  EXPECT_GE(estimate.weights, 16 * 2 * 4);  // a panel of 16 columns
  EXPECT_GT(estimate.activations, 0);
  EXPECT_GT(estimate.runtime, 0);
  EXPECT_TRUE(estimate.estimated);
}

class OpenVino : public testing::Test {
 protected:
  void SetUp() override {
    if (const std::string why = test::missing_library("openvino"); !why.empty()) GTEST_SKIP() << why;
  }
  Error error_on(const std::string& device) const {
    return error_of([&] { backend_->compile(product_.graph, product_.weights, {.device = device}); });
  }
  Tensor run(const CompileOptions& options) const {
    return backend_->compile(product_.graph, product_.weights, options)->start()->run(product_.feeds).at("y");
  }

  Product product_;
  std::unique_ptr<Backend> backend_ = make_backend();
};

TEST_F(OpenVino, ListsTheProcessorFirstAndItsOwnChoiceLast) {
  const std::vector<Device> devices = backend_->devices();
  ASSERT_GE(devices.size(), 2U);
  EXPECT_EQ(devices.front().name, "openvino:cpu");
  EXPECT_EQ(devices.back().name, "openvino:auto");
  EXPECT_TRUE(contains(devices.front().description, Library::open()->version())) << devices.front().description;
}

TEST_F(OpenVino, NamesDevicesAsUsersDo) {
  EXPECT_EQ(user_name("GPU.1"), "gpu:1");
  EXPECT_EQ(user_name("NPU"), "npu");
  EXPECT_EQ(runtime_name("", *Library::open()), "CPU");
  EXPECT_EQ(runtime_name("cpu:0", *Library::open()), "CPU");
}

TEST_F(OpenVino, RunsOnEachName) {
  for (const char* device : {"", "cpu", "cpu:0", "auto"}) {
    SCOPED_TRACE(device);
    expect_product(run({.device = device, .threads = 1}));
  }
}

TEST_F(OpenVino, RefusesDevicesThatThereAreNot) {
  for (const char* device : {"cuda:0", "cpu:7", "processor", ":"}) {
    const Error error = error_on(device);
    EXPECT_EQ(error.kind(), ErrorKind::not_found) << error.what();
    EXPECT_TRUE(contains(error.message(), "there are cpu")) << error.what();
  }
}

TEST_F(OpenVino, SaysWhyAKindOfDeviceIsNotHere) {
  const std::vector<std::string> listed = Library::open()->devices();
  for (const std::string kind : {"GPU", "NPU"}) {
    if (std::any_of(listed.begin(), listed.end(), [&](const auto& name) { return name.starts_with(kind); })) continue;
    const Error error = error_on(user_name(kind));
    EXPECT_EQ(error.kind(), ErrorKind::unavailable) << error.what();
    EXPECT_TRUE(contains(error.message(), "finds none here: ")) << error.what();
  }
}

// OpenVINO takes bf16 by itself where a processor has it.
TEST_F(OpenVino, ComputesInTheLowerPrecisionOnlyWhenAskedTo) {
  product_.weights->add("w", Tensor::of<float>({1, 2}, {1.001F, 0.001F}));
  const auto first = [&](const CompileOptions& options) { return run(options).as<float>()[0]; };
  EXPECT_FLOAT_EQ(first({.threads = 1}), 1.003F);
  EXPECT_FLOAT_EQ(first({.device = "auto", .threads = 1}), 1.003F);
  const std::vector<Precision> there = backend_->precisions({});
  for (const Precision lower : {Precision::bf16, Precision::f16, Precision::int8}) {
    const CompileOptions options{.precision = lower, .threads = 1};
    if (std::find(there.begin(), there.end(), lower) != there.end()) {
      EXPECT_NEAR(first(options), 1.003F, 0.01F);
      EXPECT_NE(first(options), first({.threads = 1}));
    } else {
      const Error error = error_of([&] { run(options); });
      EXPECT_EQ(error.kind(), ErrorKind::unsupported) << error.what();
      EXPECT_TRUE(contains(error.message(), name_of(lower))) << error.what();
    }
  }
}

TEST_F(OpenVino, KeepsWhatItCompiledInTheFolderThatIsNamed) {
  const TemporaryFolder cache;
  const CompileOptions options{.threads = 1, .cache_folder = cache.path().string()};
  expect_product(run(options));
  EXPECT_FALSE(std::filesystem::is_empty(cache.path()));
  expect_product(run(options));
}

}  // namespace
}  // namespace accelerate::openvino
