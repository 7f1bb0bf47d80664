#include "backends/onnx/onnx_backend.hpp"

#include "backends/lowered_memory.hpp"
#include "backends/lowered_precision.hpp"
#include "backends/lowered_session.hpp"
#include "backends/onnx/onnx_plan.hpp"
#include "lowering/int8.hpp"

namespace accelerate::onnx {
namespace {

// Of a device that there is a name for; compile() refuses the others.
const Provider& provider_of(std::string_view device) {
  const Provider* provider = provider_named(device);
  return provider != nullptr ? *provider : providers().front();
}

// ONNX Runtime 1.32.0, without its memory patterns; its arena is in pieces that do not fit together.
constexpr RuntimeMemory kMemory{
    .library = 29 << 20, .node = 10 << 10, .linear_copies = 1, .attention_rows = 11, .score_copies = 2};

class OnnxBackend final : public Backend {
 public:
  std::string_view name() const override { return "onnx"; }

  std::vector<Device> devices() const override {
    std::vector<Device> listed;
    if (const LibraryPtr library = opened_or_null<Library>()) {
      for (const Placement& placement : listed_devices(*library)) listed.push_back(described(*library, placement));
    }
    return listed;
  }

  bool knows(std::string_view device) const override { return is_device(device); }
  std::vector<std::string> files() const override { return Library::files(); }

  std::vector<Precision> precisions(std::string_view device) const override {
    if (opened_or_null<Library>() == nullptr) return {Precision::f32};
    return precisions_of(provider_of(device));
  }

  RunCost run_cost(std::string_view device) const override {
    return lowered_run_cost(is_processor(provider_of(device)));
  }

  std::vector<std::string> lowered(const Graph& graph, std::string_view device) const override {
    return is_processor(provider_of(device)) ? lowering::int8_products(graph) : std::vector<std::string>();
  }

  Support supports(const Graph&, const Device&) const override {
    return {};  // what ONNX has no operator for runs by its primitives
  }

  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override {
    require_state(graph, options, "backend onnx");
    const lowering::OnnxOptions lowered = lowering_options(provider_of(options.device), graph, options);
    return estimate_memory(graph, weights, lowered, extents, kMemory);
  }

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    require_precisions(provider_of(options.device), options);
    require_state(graph, options, "backend onnx");
    const LibraryPtr library = Library::open();
    return make_plan(library, placement_of(options.device, *library), graph, std::move(weights), options);
  }

 private:
  static Device described(const Library& library, const Placement& placement) {
    return {"onnx:" + placement.name(),
            std::string(placement.provider->description) + ", ONNX Runtime " + library.version()};
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() { return std::make_unique<OnnxBackend>(); }

}  // namespace accelerate::onnx
