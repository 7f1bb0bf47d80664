// ONNX Runtime's providers as a user meets them: `devices`, `doctor` and `run` where they are absent, old, failing,
// wrong, out of memory, hanging or crashing. A fake library stands for devices that no machine here has.
#include <gtest/gtest.h>

#include "accelerate/accelerate.hpp"
#include "backends/fake_onnxruntime.hpp"
#include "backends/forwarding_backend.hpp"
#include "cli/process.hpp"
#include "core/json.hpp"
#include "hardware/small_graph.hpp"

namespace accelerate::cli::test {
namespace {

// The cpu, whose outputs are kept as answers for the fake library.
class AnswerWriter final : public ForwardingBackend {
 public:
  explicit AnswerWriter(const TemporaryFolder& folder)
      : ForwardingBackend(borrowed(*backends().front())), folder_(folder) {}

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    return std::make_unique<WritingPlan>(ForwardingBackend::compile(graph, std::move(weights), options), folder_);
  }

 private:
  struct WritingSession final : Session {
    WritingSession(std::unique_ptr<Session> session, const TemporaryFolder& into)
        : inner(std::move(session)), folder(into) {}
    Outputs run(const Feeds& feeds) override {
      Outputs outputs = inner->run(feeds);
      for (const auto& [name, values] : outputs) accelerate::test::write_answer(folder, name, values);
      return outputs;
    }
    std::unique_ptr<Session> inner;
    const TemporaryFolder& folder;
  };
  struct WritingPlan final : Plan {
    WritingPlan(std::unique_ptr<Plan> plan, const TemporaryFolder& into) : inner(std::move(plan)), folder(into) {}
    std::unique_ptr<Session> start() const override { return std::make_unique<WritingSession>(inner->start(), folder); }
    std::unique_ptr<Plan> inner;
    const TemporaryFolder& folder;
  };

  const TemporaryFolder& folder_;
};

class ProviderCommands : public testing::Test {
 protected:
  ProviderCommands() {
    accelerate::test::link_fake_onnxruntime(library_);
    hardware::small_graph_error(AnswerWriter(answers_), "");
  }

  // With providers that behave so, and nothing else of a machine.
  Finished run(const std::string& providers, std::vector<std::string> arguments, std::vector<std::string> more = {}) {
    std::vector<std::string> environment = {"ACCELERATE_CACHE=" + (folder_.path() / "cache").string(),
                                            "ACCELERATE_RECORDS=" + (folder_.path() / "r.sqlite").string(),
                                            "ACCELERATE_ONNXRUNTIME=" + library_.path().string(),
                                            "ACCELERATE_OPENVINO=" + library_.path().string(),
                                            "LD_LIBRARY_PATH=" + folder_.path().string(),
                                            "ACCELERATE_THREADS=1",
                                            "FAKE_ONNXRUNTIME=" + providers,
                                            "FAKE_ONNXRUNTIME_ANSWERS=" + answers_.path().string()};
    environment.insert(environment.end(), more.begin(), more.end());
    return run_program(Call{.arguments = std::move(arguments), .environment = std::move(environment)});
  }

  // The row of a device in `devices --json`.
  static Json row_of(const Finished& shown, const std::string& name) {
    EXPECT_EQ(shown.code, 0) << shown.err;
    const Json json = Json::parse(shown.out, "devices");
    for (const Json& row : json.at("devices").items()) {
      if (row.at("name").as_string() == name) return row;
    }
    ADD_FAILURE() << name << " is not in " << shown.out;
    return Json::object();
  }
  Json probed(const std::string& providers, const std::string& name, const char* timeout = "60") {
    return row_of(run(providers, {"devices", "--json", "--refresh", "--timeout", timeout}), name);
  }

  // What --explain says of a device that is asked for before the cpu, which is taken.
  std::string fate(const std::string& providers, const std::string& device, std::vector<std::string> more = {}) {
    const Finished told =
        run(providers, {"run", fixture("bert").string(), "a", "--device", device + ",cpu", "--explain"}, more);
    EXPECT_EQ(told.code, 0) << told.err;
    EXPECT_TRUE(told.err.ends_with("note: device cpu: taken\n")) << told.err;
    return told.err.substr(0, told.err.find('\n'));
  }

  const TemporaryFolder library_, answers_, folder_;
};

void expect_row(const Json& row, const std::string& state, const std::string& stage, const std::string& reason) {
  EXPECT_EQ(row.at("state").as_string(), state) << row.dump();
  EXPECT_EQ(row.find("stage") == nullptr ? "" : row.at("stage").as_string(), stage) << row.dump();
  if (!reason.empty()) {
    EXPECT_TRUE(contains(row.at("reason").as_string(), reason)) << row.dump();
  }
}

TEST_F(ProviderCommands, DevicesAreAvailableOnceTheirNumbersAreRight) {
  const Finished shown =
      run("CUDA=present Tensorrt=wrong MIGraphX=present CoreML=present WebGpu=present QNN=present "
          "OpenVINO=present",
          {"devices", "--json", "--refresh", "--timeout", "60"});
  for (const char* name :
       {"onnx:cpu", "onnx:cuda:0", "onnx:migraphx:0", "onnx:coreml", "onnx:webgpu", "onnx:qnn", "onnx:openvino"}) {
    expect_row(row_of(shown, name), "available", "", "");
  }
  expect_row(row_of(shown, "onnx:tensorrt:0"), "unavailable", "wrong result",
             "other numbers than the f64 interpreter: a relative error of 0.001, allowed 1e-05");
}

TEST_F(ProviderCommands, ADeviceThatFailsCostsALine) {
  const Finished shown =
      run("CUDA=no_device Tensorrt=failing MIGraphX=oom CoreML=oom_run WebGpu=crash QNN=silent "
          "OpenVINO=no_library",
          {"devices", "--json", "--refresh", "--timeout", "60"});
  expect_row(row_of(shown, "onnx:cpu"), "available", "", "");
  expect_row(row_of(shown, "onnx:cuda:0"), "unavailable", "no device", "CUDA failure 100: no CUDA-capable device");
  expect_row(row_of(shown, "onnx:tensorrt:0"), "unavailable", "failed", "TensorRT EP failed to create engine");
  expect_row(row_of(shown, "onnx:migraphx:0"), "unavailable", "out of memory", "failure 2: out of memory");
  expect_row(row_of(shown, "onnx:coreml"), "unavailable", "out of memory", "Failed to allocate memory");
  expect_row(row_of(shown, "onnx:webgpu"), "unavailable", "crashed",
             "signal 11 (Segmentation fault); it said last: fake ONNX Runtime: about to crash");
  expect_row(row_of(shown, "onnx:qnn"), "unavailable", "failed", "QNN SetupBackend failed");
  expect_row(row_of(shown, "onnx:openvino"), "unavailable", "library absent", "cannot open shared object file");
}

TEST_F(ProviderCommands, ADeviceThatHangsIsEnded) {
  expect_row(probed("CUDA=hang", "onnx:cuda:0", "2"), "unavailable", "timed out", "gave no answer within 2 s");
}

TEST_F(ProviderCommands, ADriverOrLibraryThatIsTooOldIsSaid) {
  expect_row(probed("CUDA=old_driver", "onnx:cuda:0"), "unavailable", "driver too old",
             "CUDA driver version is insufficient");
  const Finished old = run("CUDA=present", {"devices", "--json", "--refresh"}, {"FAKE_ONNXRUNTIME_VERSION=1.16.3"});
  expect_row(row_of(old, "onnx"), "unavailable", "driver too old", "is ONNX Runtime 1.16.3");
  EXPECT_TRUE(contains(row_of(old, "onnx").at("advice").as_string(), "1.21 or newer")) << old.out;
}

TEST_F(ProviderCommands, DoctorMendsWhatIsThereAndFails) {
  const auto finding = [&](const std::string& providers, const std::string& area) {
    const Finished told = run(providers, {"doctor", "--refresh", "--json"});
    const Json json = Json::parse(told.out, "doctor");
    for (const Json& each : json.at("findings").items()) {
      if (each.at("area").as_string() == area) return each.at("health").as_string();
    }
    return "no " + area + " in " + told.out;
  };
  EXPECT_EQ(finding("CUDA=present", "device onnx:cuda:0"), "well");
  EXPECT_EQ(finding("CUDA=wrong", "device onnx:cuda:0"), "mend");
  EXPECT_EQ(finding("CUDA=old_driver", "device onnx:cuda:0"), "mend");
  EXPECT_EQ(finding("CUDA=oom", "device onnx:cuda:0"), "mend");
  EXPECT_EQ(finding("CUDA=no_device", "device onnx:cuda:0"), "note");
  EXPECT_EQ(finding("CUDA=no_library", "device onnx:cuda:0"), "note");
}

struct Fallback {
  std::string providers, device, fate;  // the beginning of it
};

TEST_F(ProviderCommands, RunFallsBackAndExplainsWhy) {
  const std::vector<Fallback> all = {
      {"", "onnx:cuda:0",
       "(find): backend onnx, device cuda:0: this ONNX Runtime 1.99.0 was built without CUDAExecutionProvider"},
      {"CUDA=no_library", "onnx:cuda:0",
       "(find): backend onnx, starting cuda: Failed to load library libonnxruntime_providers_CUDA.so"},
      {"CUDA=no_device", "onnx:cuda:0",
       "(find): backend onnx, compiling: CUDA failure 100: no CUDA-capable device is detected"},
      {"CUDA=old_driver", "onnx:cuda:0",
       "(support): backend onnx, compiling: CUDA failure 35: CUDA driver version is insufficient"},
      {"CUDA=oom", "onnx:cuda:0", "(compile): backend onnx, compiling: CUDA failure 2: out of memory"},
      {"Tensorrt=failing CUDA=present", "onnx:tensorrt:0",
       "(compile): backend onnx, compiling: TensorRT EP failed to create engine"},
      {"MIGraphX=failing", "onnx:migraphx:1", "(compile): backend onnx, compiling: "},
      {"QNN=silent", "onnx:qnn", "(compile): backend onnx, compiling: QNN SetupBackend failed"}};
  for (const Fallback& each : all) {
    const std::string said = fate(each.providers, each.device);
    EXPECT_TRUE(said.starts_with("note: device " + each.device + ": not taken " + each.fate)) << said;
  }
  const std::string old = fate("CUDA=present", "onnx:cuda:0", {"FAKE_ONNXRUNTIME_VERSION=1.16.3"});
  EXPECT_TRUE(contains(old, "not taken (support): ") && contains(old, "is ONNX Runtime 1.16.3")) << old;
}

// What a probe was ended for would end the program too, and wrong numbers look like any others.
TEST_F(ProviderCommands, RunTakesNoDeviceThatWasProbedWrongCrashingOrHanging) {
  for (const auto& [behaviour, stage] : std::vector<std::pair<std::string, std::string>>{
           {"wrong", "wrong result"}, {"crash", "crashed"}, {"hang", "timed out"}}) {
    probed("CUDA=" + behaviour, "onnx:cuda:0", behaviour == "hang" ? "2" : "60");
    const std::string said = fate("CUDA=" + behaviour, "onnx:cuda:0");
    EXPECT_TRUE(said.starts_with("note: device onnx:cuda:0: not taken (probe): " + stage + ": ")) << said;
  }
  const Finished alone = run("CUDA=wrong", {"run", fixture("bert").string(), "a", "--device", "onnx:cuda:0"});
  EXPECT_EQ(alone.code, 8) << alone.err;
  EXPECT_TRUE(contains(alone.err, "hint: `devices --refresh` probes it anew")) << alone.err;
}

class ProviderRuns : public ProviderCommands {
 protected:
  // What the model gives, as the fake device is told to.
  void SetUp() override {
    const Model model = Model::open(fixture("bert"), {.threads = 1});
    const std::vector<std::string> text{"a"};
    accelerate::test::write_answer(answers_, "sentence_embedding", model.embed(text).vectors);
  }
  Finished run_on_cuda(const std::string& behaviour, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"run", fixture("bert").string(), "a", "--device", "onnx:cuda:0", "--json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run("CUDA=" + behaviour, std::move(arguments));
  }
};

TEST_F(ProviderRuns, GiveWhatTheDeviceGives) {
  const Finished finished = run_on_cuda("present");
  EXPECT_EQ(finished.code, 0) << finished.err;
  const Json json = Json::parse(finished.out, "run");
  EXPECT_EQ(json.at("device").as_string(), "onnx:cuda:0");
  EXPECT_EQ(json.at("results").items().at(0).at("embedding").items().size(), 32U);
}

TEST_F(ProviderRuns, NameADeviceThatIsLostInTheMiddle) {
  EXPECT_EQ(run_on_cuda("lost").code, 0) << "the first run";
  const Finished lost = run_on_cuda("lost", {"--repeat", "3"});
  EXPECT_EQ(lost.code, 8);
  EXPECT_TRUE(
      lost.err.starts_with("error: device onnx:cuda:0: backend onnx, running: CUDA failure 719: unspecified "
                           "launch failure"))
      << lost.err;
}

TEST_F(ProviderRuns, NameADeviceThatRunsOutOfMemory) {
  const Finished finished = run_on_cuda("oom_run");
  EXPECT_EQ(finished.code, 7);
  EXPECT_TRUE(contains(finished.err, "error: device onnx:cuda:0: ")) << finished.err;
  EXPECT_TRUE(contains(finished.err, "requested buffer of size 939524096")) << finished.err;
}

// The options of the command reach the provider.
TEST_F(ProviderRuns, StartTheDeviceWithTheUsersLimitAndCacheFolder) {
  const std::string record = (folder_.path() / "record").string(), cache = (folder_.path() / "engines").string();
  const Finished finished = run("Tensorrt=present CUDA=present",
                                {"run", fixture("bert").string(), "a", "--device", "onnx:tensorrt:0", "--memory-limit",
                                 "2GiB", "--cache-folder", cache, "--threads", "1"},
                                {"FAKE_ONNXRUNTIME_RECORD=" + record});
  EXPECT_EQ(finished.code, 0) << finished.err;
  EXPECT_EQ(read(record),
            "Tensorrt device_id=0 trt_fp16_enable=0 trt_max_workspace_size=2147483648 trt_engine_cache_enable=1 "
            "trt_engine_cache_path=" +
                cache +
                "\n"
                "CUDA device_id=0 use_tf32=0 gpu_mem_limit=2147483648\n"
                "session threads=1 mem_pattern=0\n");
  EXPECT_TRUE(std::filesystem::is_directory(cache));
}

}  // namespace
}  // namespace accelerate::cli::test
