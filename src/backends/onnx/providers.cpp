#include "backends/onnx/providers.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/text.hpp"

namespace accelerate::onnx {
namespace {

// On the processor all others measured no faster than standard operators, or slower (docs/onnx.md); on CUDA no other
// ran yet.
constexpr lowering::ContribOperators kOnProcessor{.activation = true, .rotary = true, .rms_norm = true};
constexpr lowering::ContribOperators kOnCuda{.activation = true, .rotary = true};

constexpr Provider kProviders[] = {
    {.device = "cpu", .name = "CPUExecutionProvider", .contrib = kOnProcessor, .description = "processor"},
    {.device = "cuda",
     .name = "CUDAExecutionProvider",
     .memory = "Cuda",
     .numbered = true,
     .halves = true,
     .contrib = kOnCuda,
     .description = "NVIDIA GPU"},
    {.device = "tensorrt",
     .name = "TensorrtExecutionProvider",
     .memory = "Cuda",
     .numbered = true,
     .halves = true,
     .description = "NVIDIA GPU through TensorRT"},
    {.device = "migraphx",
     .name = "MIGraphXExecutionProvider",
     .numbered = true,
     .halves = true,
     .description = "AMD GPU through MIGraphX"},
    {.device = "coreml",
     .name = "CoreMLExecutionProvider",
     .short_name = "CoreML",
     .description = "Apple GPU and Neural Engine through Core ML"},
    {.device = "webgpu",
     .name = "WebGpuExecutionProvider",
     .short_name = "WebGPU",
     .description = "GPU through WebGPU"},
    {.device = "qnn",
     .name = "QNNExecutionProvider",
     .short_name = "QNN",
     .only_logs = true,
     .description = "Qualcomm Hexagon NPU"},
    {.device = "openvino",
     .name = "OpenVINOExecutionProvider",
     .short_name = "OpenVINO",
     .description = "Intel devices through OpenVINO"},
};

// Options as the library takes them: two lists of texts.
class Settings {
 public:
  void set(std::string key, std::string value) {
    keys_.push_back(std::move(key));
    values_.push_back(std::move(value));
  }
  void set_if(bool given, std::string key, std::string value) {
    if (given) set(std::move(key), std::move(value));
  }
  std::vector<const char*> keys() const { return pointers(keys_); }
  std::vector<const char*> values() const { return pointers(values_); }
  std::size_t size() const { return keys_.size(); }

 private:
  static std::vector<const char*> pointers(const std::vector<std::string>& texts) {
    std::vector<const char*> result;
    for (const std::string& text : texts) result.push_back(text.c_str());
    return result;
  }
  std::vector<std::string> keys_, values_;
};

std::string known_devices() {
  return joined(kProviders, ", ", [](const Provider& each) { return each.device; });
}

// "cuda:1"; nothing where that is no device's name.
std::optional<Placement> placement_named(std::string_view device) {
  const std::string_view word = device.substr(0, device.find(':'));
  const auto* found = std::find_if(std::begin(kProviders), std::end(kProviders),
                                   [&](const Provider& each) { return each.device == word; });
  if (found == std::end(kProviders)) return std::nullopt;
  if (word.size() == device.size()) return Placement{found, 0};
  const std::string_view digits = device.substr(word.size() + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool readable = error == std::errc{} && end == digits.data() + digits.size() && number >= 0;
  return found->numbered && readable ? std::optional(Placement{found, number}) : std::nullopt;
}

bool has_provider(const Library& library, const Provider& provider) {
  const std::vector<std::string> built = library.providers();
  return std::find(built.begin(), built.end(), provider.name) != built.end();
}

void append_cuda(const Placement& placement, const CompileOptions& options, const LibraryPtr& library,
                 ort::SessionOptions* session_options) {
  Settings settings;
  settings.set("device_id", std::to_string(placement.number));
  settings.set("use_tf32", "0");
  settings.set_if(options.memory_limit > 0, "gpu_mem_limit", std::to_string(options.memory_limit));
  Handle<ort::CudaOptions> cuda(library, ort::kReleaseCudaOptions);
  library->call("options of cuda", ort::kCreateCudaOptions, cuda.out());
  library->call("options of cuda", ort::kUpdateCudaOptions, cuda.get(), settings.keys().data(),
                settings.values().data(), settings.size());
  library->call("starting cuda", ort::kAppendCuda, session_options, cuda.get());
}

void append_tensorrt(const Placement& placement, const CompileOptions& options, const LibraryPtr& library,
                     ort::SessionOptions* session_options) {
  const bool caches = !options.cache_folder.empty();
  Settings settings;
  settings.set("device_id", std::to_string(placement.number));
  settings.set("trt_fp16_enable", options.precision == Precision::f16 ? "1" : "0");
  settings.set_if(options.memory_limit > 0, "trt_max_workspace_size", std::to_string(options.memory_limit));
  settings.set_if(caches, "trt_engine_cache_enable", "1");
  settings.set_if(caches, "trt_engine_cache_path", options.cache_folder);
  Handle<ort::TensorRtOptions> tensorrt(library, ort::kReleaseTensorRtOptions);
  library->call("options of tensorrt", ort::kCreateTensorRtOptions, tensorrt.out());
  library->call("options of tensorrt", ort::kUpdateTensorRtOptions, tensorrt.get(), settings.keys().data(),
                settings.values().data(), settings.size());
  library->call("starting tensorrt", ort::kAppendTensorRt, session_options, tensorrt.get());
  append_cuda(placement, options, library, session_options);  // for what TensorRT leaves over
}

void append_migraphx(const Placement& placement, const LibraryPtr& library, ort::SessionOptions* session_options) {
  const ort::MiGraphXOptions options{.device_id = placement.number};
  library->call("starting migraphx", ort::kAppendMiGraphX, session_options, &options);
}

Settings settings_of(const Provider& provider, const CompileOptions& options) {
  const bool caches = !options.cache_folder.empty();
  Settings settings;
  if (provider.device == "coreml") {
    settings.set("ModelFormat", "MLProgram");
    settings.set_if(caches, "ModelCacheDirectory", options.cache_folder);
  } else if (provider.device == "qnn") {
    settings.set("backend_type", "htp");
    settings.set("enable_htp_fp16_precision", "0");
  } else if (provider.device == "openvino") {
    settings.set("device_type", "CPU");
    settings.set("precision", "FP32");
    settings.set_if(caches, "cache_dir", options.cache_folder);
  }
  return settings;
}

}  // namespace

std::span<const Provider> providers() { return kProviders; }

std::string Placement::name() const {
  return std::string(provider->device) + (provider->numbered ? ":" + std::to_string(number) : "");
}

bool is_device(std::string_view device) { return placement_named(device).has_value(); }

const Provider* provider_named(std::string_view device) {
  if (device.empty()) return &kProviders[0];
  const std::optional<Placement> placement = placement_named(device);
  return placement ? placement->provider : nullptr;
}

Placement placement_of(std::string_view device, const Library& library) {
  if (device.empty()) return {&kProviders[0], 0};
  const std::optional<Placement> placement = placement_named(device);
  if (!placement) {
    throw Error(ErrorKind::not_found,
                "no device \"" + std::string(device) + "\"; there are " + known_devices() +
                    ", GPUs with a number behind a colon",
                "backend onnx");
  }
  if (!has_provider(library, *placement->provider)) {
    throw Error(
        ErrorKind::unavailable,
        "this ONNX Runtime " + library.version() + " was built without " + std::string(placement->provider->name),
        "backend onnx, device " + std::string(device), "install a package of ONNX Runtime that has it");
  }
  return *placement;
}

std::vector<Placement> listed_devices(const Library& library) {
  std::vector<Placement> listed;
  for (const Provider& each : kProviders) {
    if (has_provider(library, each)) listed.push_back({&each, 0});
  }
  return listed;
}

void append_provider(const Placement& placement, const CompileOptions& options, const LibraryPtr& library,
                     ort::SessionOptions* session_options) {
  const std::string_view device = placement.provider->device;
  if (device == "cpu") return;  // always there, behind all others
  if (device == "cuda") return append_cuda(placement, options, library, session_options);
  if (device == "tensorrt") return append_tensorrt(placement, options, library, session_options);
  if (device == "migraphx") return append_migraphx(placement, library, session_options);
  const Settings settings = settings_of(*placement.provider, options);
  if (device == "openvino") {
    return library->call("starting openvino", ort::kAppendOpenVino, session_options, settings.keys().data(),
                         settings.values().data(), settings.size());
  }
  library->call("starting a provider", ort::kAppendProvider, session_options, placement.provider->short_name.data(),
                settings.keys().data(), settings.values().data(), settings.size());
}

}  // namespace accelerate::onnx
