// ONNX Runtime's execution providers: the options that each is started with, and what becomes of their failures. No
// machine here has their devices: a fake library stands for it.
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <fstream>

#include "backends/fake_onnxruntime.hpp"
#include "backends/onnx/onnx_backend.hpp"
#include "backends/onnx/providers.hpp"
#include "backends/product.hpp"
#include "backends/runtime_libraries.hpp"
#include "core/environment.hpp"

namespace accelerate::onnx {
namespace {

constexpr const char* kAllProviders =
    "Tensorrt=present CUDA=present MIGraphX=present OpenVINO=present CoreML=present WebGpu=present QNN=present";

class Providers : public testing::Test {
 protected:
  Providers() {
    test::link_fake_onnxruntime(library_);
    test::write_answer(answers_, "y", Tensor::of<float>({3, 1}, {12, 34, 56}));
    environment_.set(kLibraryVariable, library_.path().string());
    environment_.set("FAKE_ONNXRUNTIME_ANSWERS", answers_.path().string());
    environment_.set("FAKE_ONNXRUNTIME_RECORD", record());
    environment_.set("FAKE_ONNXRUNTIME_VERSION", "");
    behave(kAllProviders);
  }

  void behave(const std::string& providers) { environment_.set("FAKE_ONNXRUNTIME", providers); }
  std::unique_ptr<Plan> compile(const CompileOptions& options) const {
    return backend_->compile(product_.graph, product_.weights, options);
  }
  Error compile_error(const std::string& device) const {
    return error_of([&] { compile({.device = device, .threads = 1}); });
  }
  // A line for each provider that was started, and for each session.
  std::vector<std::string> recorded() const {
    std::vector<std::string> lines;
    std::ifstream file(record());
    for (std::string line; std::getline(file, line);) lines.push_back(line);
    return lines;
  }

  const TemporaryFolder library_, answers_;
  test::Environment environment_;
  const test::Product product_;
  const std::unique_ptr<Backend> backend_ = make_backend();

 private:
  std::string record() const { return (answers_.path() / "record").string(); }
};

TEST_F(Providers, AreDevicesInAnOrderOfOurs) {
  std::vector<std::string> names;
  for (const Device& device : backend_->devices()) names.push_back(device.name);
  EXPECT_EQ(names, (std::vector<std::string>{"onnx:cpu", "onnx:cuda:0", "onnx:tensorrt:0", "onnx:migraphx:0",
                                             "onnx:coreml", "onnx:webgpu", "onnx:qnn", "onnx:openvino"}));
  EXPECT_EQ(backend_->devices()[1].description, "NVIDIA GPU, ONNX Runtime 1.99.0");
  behave("CoreML=present");
  EXPECT_EQ(backend_->devices().size(), 2U);
}

TEST_F(Providers, RunWhereTheyAreStarted) {
  for (const Device& device : backend_->devices()) {
    test::expect_product(compile({.device = device.name.substr(5)})->start()->run(product_.feeds).at("y"));
  }
}

struct Started {
  std::string device;
  std::vector<std::string> lines;
};

// f32 means f32, and what the user limits is limited.
TEST_F(Providers, AreStartedWithTheirOptions) {
  const std::vector<Started> all = {
      {"cpu", {}},
      {"cuda:1", {"CUDA device_id=1 use_tf32=0 gpu_mem_limit=1000"}},
      {"tensorrt:2",
       {"Tensorrt device_id=2 trt_fp16_enable=0 trt_max_workspace_size=1000 trt_engine_cache_enable=1 "
        "trt_engine_cache_path=/kept",
        "CUDA device_id=2 use_tf32=0 gpu_mem_limit=1000"}},
      {"migraphx:3", {"MIGraphX device_id=3 fp16=0 int8=0"}},
      {"coreml", {"CoreML ModelFormat=MLProgram ModelCacheDirectory=/kept"}},
      {"webgpu", {"WebGpu"}},
      {"qnn", {"QNN backend_type=htp enable_htp_fp16_precision=0"}},
      {"openvino", {"OpenVINO device_type=CPU precision=FP32 cache_dir=/kept"}},
  };
  std::vector<std::string> expected;
  for (const Started& each : all) {
    compile({.device = each.device, .threads = 3, .memory_limit = 1000, .cache_folder = "/kept"});
    expected.insert(expected.end(), each.lines.begin(), each.lines.end());
    expected.emplace_back("session threads=3 mem_pattern=0");
    EXPECT_EQ(recorded(), expected) << each.device;
  }
}

TEST_F(Providers, HaveTheirOwnPrecisions) {
  const auto listed = [&](const char* device) { return backend_->precisions(device); };
  EXPECT_EQ(listed(""), (std::vector{Precision::f32, Precision::int8}));
  EXPECT_EQ(listed("cpu"), listed(""));
  EXPECT_EQ(listed("cuda:1"), (std::vector{Precision::f16, Precision::f32}));
  EXPECT_EQ(listed("webgpu"), std::vector{Precision::f32});
  compile({.device = "tensorrt:0", .precision = Precision::f16, .threads = 1});
  EXPECT_EQ(recorded()[0], "Tensorrt device_id=0 trt_fp16_enable=1");
}

TEST_F(Providers, AreStartedWithoutLimitsWhereNoneAreSet) {
  compile({.device = "cuda:0", .threads = 1});
  compile({.device = "coreml", .threads = 1});
  EXPECT_EQ(recorded()[0], "CUDA device_id=0 use_tf32=0");
  EXPECT_EQ(recorded()[2], "CoreML ModelFormat=MLProgram");
}

struct Failing {
  std::string providers, device;
  ErrorKind kind;
  std::string message;  // a part of it
};

TEST_F(Providers, ThatCannotStartSayWhy) {
  const std::vector<Failing> all = {
      {"CUDA=no_library", "cuda:0", ErrorKind::unavailable, "libcublasLt.so.12: cannot open shared object file"},
      {"CUDA=no_device", "cuda:0", ErrorKind::not_found, "CUDA failure 100: no CUDA-capable device is detected"},
      {"CUDA=old_driver", "cuda:0", ErrorKind::unsupported, "CUDA driver version is insufficient"},
      {"CUDA=oom", "cuda:0", ErrorKind::out_of_memory, "CUDA failure 2: out of memory"},
      {"Tensorrt=failing CUDA=present", "tensorrt:0", ErrorKind::device_failed, "failed to create engine"},
      {"Tensorrt=present", "tensorrt:0", ErrorKind::device_failed, "CUDA execution provider is not enabled"},
      {"QNN=silent", "qnn", ErrorKind::device_failed, "QNN SetupBackend failed"},
      {"", "migraphx:0", ErrorKind::unavailable, "ONNX Runtime 1.99.0 was built without MIGraphXExecutionProvider"},
  };
  for (const Failing& each : all) {
    behave(each.providers);
    const Error error = compile_error(each.device);
    EXPECT_EQ(error.kind(), each.kind) << error.what();
    EXPECT_TRUE(contains(error.message(), each.message)) << error.what();
    EXPECT_TRUE(error.where().starts_with("backend onnx")) << error.where();
  }
  test::expect_product(compile({.device = "cpu"})->start()->run(product_.feeds).at("y"));
}

TEST_F(Providers, ThatRunOutOfMemorySaySo) {
  behave("CUDA=oom_run");
  const auto session = compile({.device = "cuda:0"})->start();
  const Error error = error_of([&] { session->run(product_.feeds); });
  EXPECT_EQ(error.kind(), ErrorKind::out_of_memory);
  EXPECT_TRUE(contains(error.message(), "requested buffer of size 939524096")) << error.what();
}

TEST_F(Providers, ThatAreLostInTheMiddleFailThatRunAlone) {
  behave("CUDA=lost");
  const auto plan = compile({.device = "cuda:0"});
  const auto session = plan->start();
  test::expect_product(session->run(product_.feeds).at("y"));
  const Error error = error_of([&] { session->run(product_.feeds); });
  EXPECT_EQ(error.kind(), ErrorKind::device_failed);
  EXPECT_TRUE(contains(error.message(), "CUDA failure 719: unspecified launch failure")) << error.what();
  EXPECT_EQ(error_of([&] { session->run(product_.feeds); }).kind(), ErrorKind::device_failed);
  test::expect_product(compile({.device = "cpu"})->start()->run(product_.feeds).at("y"));
}

TEST_F(Providers, OfALibraryThatIsTooOldAreNotListedAndItIsSaid) {
  environment_.set("FAKE_ONNXRUNTIME_VERSION", "1.16.3");
  EXPECT_TRUE(backend_->devices().empty());
  const Error error = compile_error("cuda:0");
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(), "is ONNX Runtime 1.16.3");
  EXPECT_TRUE(contains(error.where(), library_.path().string())) << error.where();
  EXPECT_TRUE(contains(error.hint(), "1.21 or newer")) << error.hint();
}

// The places in the real library's table: of each provider it says that it has not got it.
TEST(ProvidersOfTheRealRuntime, AreCalledByTheirOwnFunctions) {
  if (const std::string why = test::missing_library("onnx"); !why.empty()) GTEST_SKIP() << why;
  const LibraryPtr library = Library::open();
  const std::vector<std::string> built = library->providers();
  for (const Provider& provider : providers()) {
    if (std::find(built.begin(), built.end(), provider.name) != built.end()) continue;
    Handle<ort::SessionOptions> options(library, ort::kReleaseSessionOptions);
    library->call("making options", ort::kCreateSessionOptions, options.out());
    const Error error = error_of([&] { append_provider({&provider, 0}, {}, library, options.get()); });
    std::string message = error.message(), word(provider.device);
    std::transform(message.begin(), message.end(), message.begin(), [](unsigned char c) { return std::tolower(c); });
    EXPECT_TRUE(contains(message, word)) << error.what();
    const bool absent = contains(message, "not enabled") || contains(message, "not supported");
    EXPECT_TRUE(absent || error.kind() == ErrorKind::unavailable) << error.what();
  }
}

}  // namespace
}  // namespace accelerate::onnx
