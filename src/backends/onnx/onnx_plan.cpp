#include "backends/onnx/onnx_plan.hpp"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "backends/lowered_precision.hpp"
#include "backends/lowered_session.hpp"
#include "core/text.hpp"
#include "core/thread_pool.hpp"
#include "lowering/int8.hpp"

namespace accelerate::onnx {
namespace {

using lowering::OnnxInitializer;
using lowering::OnnxInput;
using lowering::OnnxModel;

// Nothing but attention and pooling computes padding.
constexpr lowering::Ragged kRagged = lowering::Ragged::rows;

// Tensors that lie in memory, as the library sees them, and who owns them.
struct InMemory {
  std::vector<std::shared_ptr<const Tensor>> tensors;
  std::vector<Handle<ort::Value>> values;

  const ort::Value* add(const LibraryPtr& library, std::shared_ptr<const Tensor> tensor) {
    tensors.push_back(std::move(tensor));
    return values.emplace_back(value_over(library, *tensors.back())).get();
  }
};

// What one session of ONNX Runtime stands on; our sessions share it, because it runs for several threads at once.
struct Compiled {
  LibraryPtr library;
  Graph graph;
  std::shared_ptr<const Weights> weights;
  std::vector<OnnxInput> inputs;
  std::vector<lowering::OnnxOutput> outputs;
  InMemory kept;  // what the session may still read
  std::unique_ptr<Handle<ort::Session>> session;
  Handle<ort::RunOptions> run_options{library, ort::kReleaseRunOptions};
  Handle<ort::MemoryInfo> device_memory{library, ort::kReleaseMemoryInfo};  // null: the host's

  explicit Compiled(LibraryPtr opened) : library(std::move(opened)) {}
  const ort::MemoryInfo* memory() const {
    return device_memory.get() != nullptr ? device_memory.get() : library->host_memory();
  }
};

// Of each state its past, in the order of the graph, where the provider computes.
struct OnnxPast final : lowering::KeptPast {
  std::shared_ptr<const Compiled> compiled;  // whose memory they lie in
  std::vector<Handle<ort::Value>> values;
};

// The values of one run by the names of the model.
class Binding {
 public:
  explicit Binding(const Compiled& compiled) : c_(compiled), binding_(compiled.library, ort::kReleaseIoBinding) {
    c_.library->call("running", ort::kCreateIoBinding, c_.session->get(), binding_.out());
  }

  void bind_inputs(const std::vector<Tensor>& inputs, const OnnxPast* past) {
    std::size_t state = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      const ort::Value* value = inputs[i].empty() ? past->values.at(state++).get() : over(inputs[i]);
      c_.library->call("feeding", ort::kBindInput, binding_.get(), c_.inputs[i].name.c_str(), value);
    }
  }

  // Those behind the outputs given are what states then hold: it stays where it is computed, in memory of the library.
  void bind_outputs(const std::vector<Tensor>& outputs, bool keeps) {
    const auto name = [&](std::size_t i) { return c_.outputs[i].name.c_str(); };
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      c_.library->call("binding outputs", ort::kBindOutput, binding_.get(), name(i), over(outputs[i]));
    }
    for (std::size_t i = outputs.size(); keeps && i < c_.outputs.size(); ++i) {
      c_.library->call("binding outputs", ort::kBindOutputToDevice, binding_.get(), name(i), c_.memory());
    }
  }

  void run() {
    c_.library->call("running", ort::kRunWithBinding, c_.session->get(), c_.run_options.get(), binding_.get());
  }

  // Outputs from this one on.
  std::vector<Handle<ort::Value>> outputs_from(std::size_t first) const {
    ort::Allocator* allocator = nullptr;
    ort::Value** bound = nullptr;
    std::size_t count = 0;
    const Library& library = *c_.library;
    library.call("keeping the past", ort::kGetAllocatorWithDefaultOptions, &allocator);
    library.call("keeping the past", ort::kGetBoundOutputValues, binding_.get(), allocator, &bound, &count);
    std::vector<Handle<ort::Value>> values;
    for (std::size_t i = 0; i < count; ++i) {
      Handle<ort::Value> value(c_.library, ort::kReleaseValue);
      *value.out() = bound[i];
      if (i >= first) values.push_back(std::move(value));
    }
    library.call("keeping the past", ort::kAllocatorFree, allocator, static_cast<void*>(bound));
    return values;
  }

 private:
  const ort::Value* over(const Tensor& tensor) { return values_.emplace_back(value_over(c_.library, tensor)).get(); }

  const Compiled& c_;
  std::vector<Handle<ort::Value>> values_;
  Handle<ort::IoBinding> binding_;
};

class OnnxSession final : public LoweredSession {
 public:
  explicit OnnxSession(const std::shared_ptr<const Compiled>& compiled)
      : LoweredSession(compiled->graph, compiled->inputs, kRagged), c_(compiled) {}

 private:
  void call(LoweredCall& made) override {
    Binding binding(*c_);
    const std::size_t own = made.outputs.size();
    const bool keeps = made.has_next && own < c_->outputs.size();
    binding.bind_inputs(made.inputs, static_cast<const OnnxPast*>(made.past.get()));
    binding.bind_outputs(made.outputs, keeps);
    binding.run();
    if (!keeps) return;
    auto present = std::make_shared<OnnxPast>();
    present->compiled = c_;
    present->values = binding.outputs_from(own);
    made.present = std::move(present);
  }

  std::shared_ptr<const Compiled> c_;
};

using OnnxPlan = SharedPlan<OnnxSession, Compiled>;

// Below this ONNX Runtime wants to see values itself, for its rewriting of graphs.
constexpr std::int64_t kSmallest = 128;

bool is_handed_over(const OnnxInitializer& initializer) {
  return initializer.is_of_weights() && initializer.bytes() >= kSmallest;
}

// Weights that the session reads from the checkpoint by itself, as a model's external data: measured 0.6 s faster for
// 1.1 GB than tensors over our mapping of the same file. It takes files of one folder.
class WeightFolder {
 public:
  explicit WeightFolder(const OnnxModel& model) {
    for (const OnnxInitializer& each : model.initializers) {
      if (folder_.empty() && in_file(each)) folder_ = path_of(each).parent_path();
    }
  }
  const std::filesystem::path& path() const { return folder_; }
  std::optional<lowering::ExternalPlace> place_of(const OnnxInitializer& initializer) const {
    if (!in_file(initializer) || path_of(initializer).parent_path() != folder_) return std::nullopt;
    const std::span<const std::byte> whole = initializer.weight->file->bytes();
    return lowering::ExternalPlace{path_of(initializer).filename().string(),
                                   initializer.weight->bytes.data() - whole.data()};
  }

 private:
  static bool in_file(const OnnxInitializer& each) {
    return is_handed_over(each) && each.in_place() && each.weight->file != nullptr && !path_of(each).empty();
  }
  // Where links lead: the library follows none out of a folder. Empty where the file has gone or another has its name:
  // our mapping stays.
  static std::filesystem::path path_of(const OnnxInitializer& each) {
    if (!each.weight->file->is_at_path()) return {};
    std::error_code gone;
    return std::filesystem::canonical(each.weight->file->path(), gone);
  }
  std::filesystem::path folder_;
};

// What the session turns into something of its own and does not keep: bytes that it joins with their products.
bool is_read_once(const OnnxInitializer& initializer) { return initializer.weight == nullptr; }

// A converted copy is shared with other plans of the model.
std::shared_ptr<const Tensor> values_of(const OnnxInitializer& initializer, const Weights& weights) {
  const auto make = [&] { return std::make_shared<const Tensor>(initializer.tensor()); };
  if (initializer.in_place()) return make();
  return std::static_pointer_cast<const Tensor>(
      weights.prepared("onnx " + std::string(name_of(initializer.dtype)) + " " + initializer.name, make));
}

// The others lie in memory and are read there. As external data they are known while the graph is rewritten; as shared
// initializers those that are kept are not copied. Returns what may go once there is a session.
InMemory hand_over_weights(const OnnxModel& model, const WeightFolder& files, const CompileOptions& options,
                           Compiled& compiled, ort::SessionOptions* session_options) {
  const LibraryPtr& library = compiled.library;
  InMemory read_once;
  std::vector<const char*> names;
  std::vector<const ort::Value*> values;
  for (const OnnxInitializer& initializer : model.initializers) {
    if (!is_handed_over(initializer) || files.place_of(initializer)) continue;
    options.cancellation.check();
    names.push_back(initializer.name.c_str());
    if (is_read_once(initializer)) {
      values.push_back(read_once.add(library, std::make_shared<const Tensor>(initializer.tensor())));
      continue;
    }
    values.push_back(compiled.kept.add(library, values_of(initializer, *compiled.weights)));
    library->call("handing over weights", ort::kAddInitializer, session_options, names.back(), values.back());
  }
  library->call("handing over weights", ort::kAddExternalInitializers, session_options, names.data(), values.data(),
                values.size());
  return read_once;
}

void create_session(const OnnxModel& model, const Placement& placement, const CompileOptions& options,
                    Compiled& compiled) {
  const LibraryPtr& library = compiled.library;
  Handle<ort::SessionOptions> session_options(library, ort::kReleaseSessionOptions);
  library->call("making options", ort::kCreateSessionOptions, session_options.out());
  constexpr int kAllOptimizations = 99;
  library->call("making options", ort::kSetSessionGraphOptimizationLevel, session_options.get(), kAllOptimizations);
  const int threads = options.threads > 0 ? options.threads : default_thread_count();
  library->call("making options", ort::kSetIntraOpNumThreads, session_options.get(), threads);
  library->call("making options", ort::kSetInterOpNumThreads, session_options.get(), 1);
  // A block for each set of sizes, planned in its first run, would be held beside what that run had: twice the memory.
  library->call("making options", ort::kDisableMemPattern, session_options.get());
  append_provider(placement, options, library, session_options.get());
  const WeightFolder files(model);
  library->call("making options", ort::kAddSessionConfigEntry, session_options.get(),
                "session.model_external_initializers_file_folder_path", files.path().c_str());
  const InMemory until_compiled = hand_over_weights(model, files, options, compiled, session_options.get());
  const std::string bytes = lowering::to_bytes(model, [&](const OnnxInitializer& initializer) {
    if (const auto place = files.place_of(initializer)) return place;
    return is_handed_over(initializer) ? std::optional(lowering::ExternalPlace{"weights", 0}) : std::nullopt;
  });
  compiled.session = std::make_unique<Handle<ort::Session>>(library, ort::kReleaseSession);
  Library::forget_log();
  library->call("compiling", ort::kCreateSessionFromArray, library->env(), static_cast<const void*>(bytes.data()),
                bytes.size(), session_options.get(), compiled.session->out());
  if (placement.provider->only_logs) Library::check_log("compiling");
}

void prepare_runs(const Placement& placement, Compiled& compiled) {
  compiled.library->call("making options", ort::kCreateRunOptions, compiled.run_options.out());
  constexpr int kDeviceAllocator = 0, kDefaultMemory = 0;
  if (placement.provider->memory == nullptr) return;
  compiled.library->call("naming memory", ort::kCreateMemoryInfo, placement.provider->memory, kDeviceAllocator,
                         placement.number, kDefaultMemory, compiled.device_memory.out());
}

}  // namespace

bool is_processor(const Provider& provider) { return provider.device == "cpu"; }

std::vector<Precision> precisions_of(const Provider& provider) {
  if (provider.halves) return {Precision::f16, Precision::f32};
  if (!is_processor(provider)) return {Precision::f32};
  return {Precision::f32, Precision::int8};  // products of bytes win where texts are short
}

void require_precisions(const Provider& provider, const CompileOptions& options) {
  const std::string where = "backend onnx, device " + std::string(provider.device);
  const std::vector<Precision> there = precisions_of(provider);
  const auto require = [&](Precision precision, const std::string& path) {
    if (std::ranges::find(there, precision) != there.end()) return;
    std::set<Precision> sorted(there.begin(), there.end());
    const std::string known = joined(sorted, " and ", [](Precision each) { return std::string(name_of(each)); });
    throw Error(ErrorKind::unsupported, "precision " + std::string(name_of(precision)) + " is not there, only " + known,
                where + path);
  };
  require(options.precision, "");
  for (const auto& [path, precision] : options.overrides) {
    require(precision, ": " + path);
    const bool differ = precision != options.precision;
    if (!differ || (precision != Precision::f16 && options.precision != Precision::f16)) continue;
    throw Error(ErrorKind::unsupported,
                "precision f16 is that of a whole model, not of some layers beside " +
                    std::string(name_of(precision == Precision::f16 ? options.precision : precision)),
                where + ": " + path);
  }
}

lowering::OnnxOptions lowering_options(const Provider& provider, const Graph& graph, const CompileOptions& options) {
  require_precisions(provider, options);
  return {.opset = lowering::kInt8Opset,
          .ragged = kRagged,
          .contrib = provider.contrib,
          .present = true,
          .real = options.precision == Precision::f16 ? DType::f16 : DType::f32,
          .int8 = products_in_int8(graph, {options.precision, options.overrides})};
}

std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const Placement& placement, const Graph& graph,
                                std::shared_ptr<const Weights> weights, const CompileOptions& options) {
  auto compiled = std::make_shared<Compiled>(library);
  compiled->graph = graph;
  compiled->weights = std::move(weights);
  OnnxModel model =
      to_onnx(compiled->graph, *compiled->weights, lowering_options(*placement.provider, compiled->graph, options));
  create_session(model, placement, options, *compiled);
  prepare_runs(placement, *compiled);
  compiled->inputs = std::move(model.inputs);
  compiled->outputs = std::move(model.outputs);
  // What the session packed for its products it does not read again; the rest comes back when it is touched.
  for (const OnnxInitializer& each : model.initializers) {
    if (each.weight != nullptr) each.weight->release();
  }
  return std::make_unique<OnnxPlan>(std::move(compiled));
}

}  // namespace accelerate::onnx
