// A library that answers as ONNX Runtime would: what the backend onnx meets on machines that we do not have.
//
// FAKE_ONNXRUNTIME says which providers it was built with and how each behaves: "CUDA=present CoreML=hang". The
// processor's is always there, and well. A session behaves as the provider that was appended first.
//   present   it runs                              no_library  the provider's own library lacks one that it needs
//   wrong     its numbers are a thousandth off     no_device   the driver knows no device
//   oom       sessions find no memory              old_driver  the driver is too old
//   oom_run   runs find none                       failing     no session can be made
//   lost      the device goes during the 2nd run   silent      as failing, but only logged: the processor does it all
//   hang      making a session never ends          crash       it ends the process by SIGSEGV
// FAKE_ONNXRUNTIME_VERSION is its release ("1.99.0"), FAKE_ONNXRUNTIME_RECORD a file that is appended a line for each
// provider that is started, with its options, one for each session, and one for each value that a run is to leave in a
// device's memory or is fed from there.
//
// It computes nothing. FAKE_ONNXRUNTIME_ANSWERS is a folder of what outputs are to be: NAME.f32, raw numbers.
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <iterator>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "backends/onnx/ort_api.hpp"

namespace accelerate::onnx::ort {

struct Status {
  int code;
  std::string message;
};
struct Env {
  LogFunction log;
  void* param;
};
struct MemoryInfo {
  std::string place;  // "Cuda 1"; empty: the host
};
struct Value {
  void* data;
  std::size_t bytes;
  std::string place = {};
};
struct RunOptions {};
struct IoBinding {
  Session* session;
  std::vector<std::pair<std::string, Value>> outputs;
};
struct SessionOptions {
  std::vector<std::string> providers;
  std::string settings;
};
struct Session {
  std::string behaviour;
  int runs = 0;
};
struct CudaOptions {
  std::string settings;
};
struct TensorRtOptions {
  std::string settings;
};

}  // namespace accelerate::onnx::ort

namespace {

namespace ort = accelerate::onnx::ort;
using ort::Keys;
using ort::Status;

// OrtErrorCode
enum { kFail = 1, kRuntimeException = 6, kEpFail = 11 };

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

std::string version() {
  const std::string chosen = variable("FAKE_ONNXRUNTIME_VERSION");
  return chosen.empty() ? "1.99.0" : chosen;
}

// By provider, in order.
std::vector<std::pair<std::string, std::string>> behaviours() {
  std::vector<std::pair<std::string, std::string>> all;
  std::istringstream words(variable("FAKE_ONNXRUNTIME"));
  for (std::string word; words >> word;) {
    const std::size_t equals = word.find('=');
    all.emplace_back(word.substr(0, equals), word.substr(equals + 1));
  }
  return all;
}

std::string behaviour_of(const std::string& provider) {
  for (const auto& [name, behaviour] : behaviours()) {
    if (name == provider) return behaviour;
  }
  return "";
}

Status* fail(int code, const std::string& message) { return new Status{code, message}; }

void record(const std::string& line) {
  if (const std::string file = variable("FAKE_ONNXRUNTIME_RECORD"); !file.empty()) {
    std::ofstream(file, std::ios::app) << line << "\n";
  }
}

std::string text_of(Keys keys, Keys values, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += std::string(" ") + keys[i] + "=" + values[i];
  return text;
}

Status* append(ort::SessionOptions* options, const std::string& provider, const std::string& settings) {
  const std::string behaviour = behaviour_of(provider);
  if (behaviour.empty()) return fail(kFail, provider + " execution provider is not enabled in this build. ");
  if (behaviour == "no_library") {
    return fail(kFail,
                "Failed to load library libonnxruntime_providers_" + provider +
                    ".so with error: libcublasLt.so.12: cannot open shared object file: No such file or directory");
  }
  record(provider + settings);
  options->providers.push_back(provider);
  return nullptr;
}

// --- The table's functions, in its order -----------------------------------------------------------------------------

int get_error_code(const Status* status) { return status->code; }
const char* get_error_message(const Status* status) { return status->message.c_str(); }

// Callers keep an environment until the process ends; so that none counts as lost, they are kept here.
std::deque<ort::Env> environments;

Status* create_env(ort::LogFunction log, void* param, int, const char*, ort::Env** env) {
  *env = &environments.emplace_back(ort::Env{log, param});
  return nullptr;
}
// Of what lives as long as the process.
template <typename T>
void keep(T*) {}

Status* create_session(const ort::Env* env, const void*, std::size_t, const ort::SessionOptions* options,
                       ort::Session** session) {
  const std::string behaviour = options->providers.empty() ? "present" : behaviour_of(options->providers.front());
  record("session" + options->settings);
  if (behaviour == "hang") {
    while (true) ::pause();
  }
  if (behaviour == "crash") {
    std::fputs("fake ONNX Runtime: about to crash\n", stderr);
    std::signal(SIGSEGV, SIG_DFL);
    std::raise(SIGSEGV);
  }
  if (behaviour == "no_device") {
    return fail(kFail,
                "CUDA failure 100: no CUDA-capable device is detected ; GPU=-1 ; hostname=here ; "
                "expr=cudaSetDevice(info_.device_id); ");
  }
  if (behaviour == "old_driver") {
    return fail(kFail,
                "CUDA failure 35: CUDA driver version is insufficient for CUDA runtime version ; GPU=-1 ; "
                "hostname=here ; expr=cudaSetDevice(info_.device_id); ");
  }
  if (behaviour == "oom") return fail(kFail, "CUDA failure 2: out of memory ; GPU=0 ; hostname=here ; expr=cudaMalloc");
  if (behaviour == "failing") return fail(kEpFail, "TensorRT EP failed to create engine from network.");
  if (behaviour == "silent") {
    constexpr int kError = 3;
    env->log(env->param, kError, "onnxruntime", "", "qnn_execution_provider.cc",
             "QNN SetupBackend failed Failed to create device. Error: 14001");
  }
  *session = new ort::Session{behaviour};
  return nullptr;
}

// What the output is told to be, in its place.
Status* answer(const std::string& name, const ort::Value& output, float factor) {
  std::ifstream file(variable("FAKE_ONNXRUNTIME_ANSWERS") + "/" + name + ".f32", std::ios::binary);
  std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() != output.bytes) {
    return fail(kFail, "fake: \"" + name + "\" has " + std::to_string(output.bytes) + " bytes, its answer " +
                           std::to_string(bytes.size()));
  }
  auto* numbers = static_cast<float*>(output.data);
  std::memcpy(numbers, bytes.data(), bytes.size());
  std::transform(numbers, numbers + bytes.size() / sizeof(float), numbers, [&](float x) { return factor * x; });
  return nullptr;
}

Status* run_with_binding(ort::Session* session, const ort::RunOptions* options, const ort::IoBinding* binding) {
  if (options == nullptr || binding->session != session) return fail(kFail, "fake: bound to another session");
  ++session->runs;
  if (session->behaviour == "oom_run") {
    return fail(kRuntimeException,
                "Non-zero status code returned while running MatMul node. Name:'' Status Message: bfc_arena.cc "
                "Failed to allocate memory for requested buffer of size 939524096");
  }
  if (session->behaviour == "lost" && session->runs > 1) {
    return fail(kFail,
                "CUDA failure 719: unspecified launch failure ; GPU=0 ; hostname=here ; "
                "expr=cudaStreamSynchronize(static_cast<cudaStream_t>(GetHandle())); ");
  }
  const float factor = session->behaviour == "wrong" ? 1.001F : 1.0F;
  for (const auto& [name, value] : binding->outputs) {
    if (!value.place.empty()) continue;
    if (Status* failed = answer(name, value, factor)) return failed;
  }
  return nullptr;
}

template <typename Object>
Status* create(Object** object) {
  *object = new Object;
  return nullptr;
}
Status* create_binding(ort::Session* session, ort::IoBinding** binding) {
  *binding = new ort::IoBinding{session, {}};
  return nullptr;
}
Status* bind_input(ort::IoBinding*, const char* name, const ort::Value* value) {
  if (!value->place.empty()) record(std::string("fed ") + name + " from " + value->place);
  return nullptr;
}
Status* bind_output(ort::IoBinding* binding, const char* name, const ort::Value* value) {
  binding->outputs.emplace_back(name, *value);
  return nullptr;
}
Status* bind_output_to_device(ort::IoBinding* binding, const char* name, const ort::MemoryInfo* info) {
  const std::string place = info->place.empty() ? "host" : info->place;
  record("kept in " + place);
  binding->outputs.push_back({name, {nullptr, 0, place}});
  return nullptr;
}
Status* bound_outputs(const ort::IoBinding* binding, ort::Allocator*, ort::Value*** values, std::size_t* count) {
  *count = binding->outputs.size();
  *values = new ort::Value*[*count];
  std::transform(binding->outputs.begin(), binding->outputs.end(), *values,
                 [](const auto& output) { return new ort::Value(output.second); });
  return nullptr;
}
Status* default_allocator(ort::Allocator** allocator) {
  *allocator = nullptr;
  return nullptr;
}
Status* allocator_free(ort::Allocator*, void* values) {
  delete[] static_cast<ort::Value**>(values);
  return nullptr;
}

Status* disable_mem_pattern(ort::SessionOptions* options) {
  options->settings += " mem_pattern=0";
  return nullptr;
}
Status* set_optimization(ort::SessionOptions*, int) { return nullptr; }
Status* set_intra_threads(ort::SessionOptions* options, int threads) {
  options->settings += " threads=" + std::to_string(threads);
  return nullptr;
}
Status* set_inter_threads(ort::SessionOptions*, int) { return nullptr; }

Status* create_tensor(const ort::MemoryInfo*, void* data, std::size_t bytes, const std::int64_t*, std::size_t, int,
                      ort::Value** value) {
  *value = new ort::Value{data, bytes, {}};
  return nullptr;
}
Status* create_memory_info(const char* name, int, int number, int, ort::MemoryInfo** info) {
  *info = new ort::MemoryInfo{std::string(name) + " " + std::to_string(number)};
  return nullptr;
}
Status* create_cpu_memory_info(int, int, ort::MemoryInfo** info) {
  static ort::MemoryInfo host;
  *info = &host;
  return nullptr;
}

template <typename Object>
void release(Object* object) {
  delete object;
}

// As the real one has them: the processor's is the last.
Status* get_available_providers(char*** names, int* count) {
  std::vector<std::string> all;
  for (const auto& [provider, behaviour] : behaviours()) all.push_back(provider + "ExecutionProvider");
  all.emplace_back("CPUExecutionProvider");
  *names = new char*[all.size()];
  std::transform(all.begin(), all.end(), *names, [](const std::string& name) { return ::strdup(name.c_str()); });
  *count = static_cast<int>(all.size());
  return nullptr;
}
Status* release_available_providers(char** names, int count) {
  std::for_each(names, names + count, [](char* name) { std::free(name); });
  delete[] names;
  return nullptr;
}

Status* add_config_entry(ort::SessionOptions*, const char*, const char*) { return nullptr; }
Status* add_initializer(ort::SessionOptions*, const char*, const ort::Value*) { return nullptr; }
Status* add_external_initializers(ort::SessionOptions*, Keys, const ort::Value* const*, std::size_t) { return nullptr; }

template <typename Options>
Status* update_options(Options* options, Keys keys, Keys values, std::size_t count) {
  options->settings += text_of(keys, values, count);
  return nullptr;
}

Status* append_tensorrt(ort::SessionOptions* options, const ort::TensorRtOptions* own) {
  return append(options, "Tensorrt", own->settings);
}
Status* append_cuda(ort::SessionOptions* options, const ort::CudaOptions* own) {
  return append(options, "CUDA", own->settings);
}
Status* append_migraphx(ort::SessionOptions* options, const ort::MiGraphXOptions* own) {
  return append(options, "MIGraphX",
                " device_id=" + std::to_string(own->device_id) + " fp16=" + std::to_string(own->fp16_enable) +
                    " int8=" + std::to_string(own->int8_enable) + (own->save_compiled_model != 0 ? " saves" : ""));
}
Status* append_named(ort::SessionOptions* options, const char* provider, Keys keys, Keys values, std::size_t count) {
  const std::string name = provider == std::string("WebGPU") ? "WebGpu" : provider;
  return append(options, name, text_of(keys, values, count));
}
Status* append_openvino(ort::SessionOptions* options, Keys keys, Keys values, std::size_t count) {
  return append(options, "OpenVINO", text_of(keys, values, count));
}

class Table {
 public:
  Table() {
    put(ort::kGetErrorCode, get_error_code);
    put(ort::kGetErrorMessage, get_error_message);
    put(ort::kCreateEnvWithCustomLogger, create_env);
    put(ort::kCreateSessionFromArray, create_session);
    put(ort::kCreateSessionOptions, create<ort::SessionOptions>);
    put(ort::kDisableMemPattern, disable_mem_pattern);
    put(ort::kSetSessionGraphOptimizationLevel, set_optimization);
    put(ort::kSetIntraOpNumThreads, set_intra_threads);
    put(ort::kSetInterOpNumThreads, set_inter_threads);
    put(ort::kCreateTensorWithDataAsOrtValue, create_tensor);
    put(ort::kCreateRunOptions, create<ort::RunOptions>);
    put(ort::kCreateMemoryInfo, create_memory_info);
    put(ort::kCreateCpuMemoryInfo, create_cpu_memory_info);
    put(ort::kAllocatorFree, allocator_free);
    put(ort::kGetAllocatorWithDefaultOptions, default_allocator);
    put(ort::kReleaseEnv, keep<ort::Env>);
    put(ort::kReleaseStatus, release<Status>);
    put(ort::kReleaseMemoryInfo, release<ort::MemoryInfo>);
    put(ort::kReleaseSession, release<ort::Session>);
    put(ort::kReleaseValue, release<ort::Value>);
    put(ort::kReleaseRunOptions, release<ort::RunOptions>);
    put(ort::kReleaseSessionOptions, release<ort::SessionOptions>);
    put(ort::kGetAvailableProviders, get_available_providers);
    put(ort::kReleaseAvailableProviders, release_available_providers);
    put(ort::kAddSessionConfigEntry, add_config_entry);
    put(ort::kRunWithBinding, run_with_binding);
    put(ort::kCreateIoBinding, create_binding);
    put(ort::kReleaseIoBinding, release<ort::IoBinding>);
    put(ort::kBindInput, bind_input);
    put(ort::kBindOutput, bind_output);
    put(ort::kBindOutputToDevice, bind_output_to_device);
    put(ort::kGetBoundOutputValues, bound_outputs);
    put(ort::kAddInitializer, add_initializer);
    put(ort::kAppendTensorRt, append_tensorrt);
    put(ort::kCreateTensorRtOptions, create<ort::TensorRtOptions>);
    put(ort::kUpdateTensorRtOptions, update_options<ort::TensorRtOptions>);
    put(ort::kReleaseTensorRtOptions, release<ort::TensorRtOptions>);
    put(ort::kAppendCuda, append_cuda);
    put(ort::kCreateCudaOptions, create<ort::CudaOptions>);
    put(ort::kUpdateCudaOptions, update_options<ort::CudaOptions>);
    put(ort::kReleaseCudaOptions, release<ort::CudaOptions>);
    put(ort::kAppendMiGraphX, append_migraphx);
    put(ort::kAddExternalInitializers, add_external_initializers);
    put(ort::kAppendProvider, append_named);
    put(ort::kAppendOpenVino, append_openvino);
  }
  const void* const* places() const { return places_; }

 private:
  template <typename Function>
  void put(ort::Entry<Function> entry, Function* function) {
    places_[entry.place] = reinterpret_cast<const void*>(function);
  }
  const void* places_[300] = {};
};

// The interface of release 1.N is number N.
const void* const* get_api(std::uint32_t number) noexcept {
  static const Table table;
  unsigned minor = 0;
  std::sscanf(version().c_str(), "1.%u", &minor);
  return number <= minor ? table.places() : nullptr;
}

const char* get_version_string() noexcept {
  static std::string kept;
  kept = version();
  return kept.c_str();
}

}  // namespace

extern "C" __attribute__((visibility("default"))) const ort::ApiBase* OrtGetApiBase() noexcept {
  static constexpr ort::ApiBase base{get_api, get_version_string};
  return &base;
}
