#include "backends/onnx/onnx_plan.hpp"

#include <filesystem>
#include <optional>

#include "backends/lowered_precision.hpp"
#include "backends/lowered_session.hpp"
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
};

class OnnxSession final : public LoweredSession {
 public:
  explicit OnnxSession(const std::shared_ptr<const Compiled>& compiled)
      : LoweredSession(compiled->graph, compiled->inputs, kRagged), c_(compiled) {}

 private:
  void call(const std::vector<Tensor>& inputs, const std::vector<Tensor>& outputs) override {
    std::vector<const char*> input_names, output_names;
    std::vector<Handle<ort::Value>> owned;
    std::vector<ort::Value*> in, out;
    owned.reserve(inputs.size() + outputs.size());
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      input_names.push_back(c_->inputs[i].name.c_str());
      in.push_back(owned.emplace_back(value_over(c_->library, inputs[i])).get());
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      output_names.push_back(c_->outputs[i].name.c_str());
      out.push_back(owned.emplace_back(value_over(c_->library, outputs[i])).get());
    }
    c_->library->call("running", ort::kRun, c_->session->get(), nullptr, input_names.data(), in.data(), in.size(),
                      output_names.data(), out.size(), out.data());
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
  return std::static_pointer_cast<const Tensor>(weights.prepared("onnx " + initializer.name, make));
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

}  // namespace

lowering::OnnxOptions lowering_options(const Provider& provider, const Graph& graph, const CompileOptions& options) {
  lowering::OnnxOptions made{.opset = lowering::kInt8Opset, .ragged = kRagged, .contrib = provider.contrib};
  made.int8 = products_in_int8(graph, {options.precision, options.overrides});
  if (made.int8.empty() || provider.device == "cpu") return made;
  throw Error(ErrorKind::unsupported, "precision int8 is there on the device cpu only",
              "backend onnx, device " + std::string(provider.device));
}

std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const Placement& placement, const Graph& graph,
                                std::shared_ptr<const Weights> weights, const CompileOptions& options) {
  auto compiled = std::make_shared<Compiled>();
  compiled->library = library;
  compiled->graph = graph;
  compiled->weights = std::move(weights);
  OnnxModel model =
      to_onnx(compiled->graph, *compiled->weights, lowering_options(*placement.provider, compiled->graph, options));
  create_session(model, placement, options, *compiled);
  compiled->inputs = std::move(model.inputs);
  compiled->outputs = std::move(model.outputs);
  // What the session packed for its products it does not read again; the rest comes back when it is touched.
  for (const OnnxInitializer& each : model.initializers) {
    if (each.weight != nullptr) each.weight->release();
  }
  return std::make_unique<OnnxPlan>(std::move(compiled));
}

}  // namespace accelerate::onnx
