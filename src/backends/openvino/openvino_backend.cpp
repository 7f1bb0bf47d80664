#include "backends/openvino/openvino_backend.hpp"

#include "backends/lowered_memory.hpp"
#include "backends/lowered_precision.hpp"
#include "backends/lowered_session.hpp"
#include "backends/openvino/devices.hpp"
#include "backends/openvino/openvino_plan.hpp"

namespace accelerate::openvino {
namespace {

// Precision is a setting of a whole model.
void require_no_overrides(const CompileOptions& options) {
  for (const auto& [path, precision] : options.overrides) {
    if (precision == options.precision) continue;
    throw Error(ErrorKind::unsupported,
                "an operation in " + std::string(name_of(precision)) + " within a graph in " +
                    std::string(name_of(options.precision)) + " is not there",
                "backend openvino: " + path);
  }
}

// OpenVINO 2026.4.1. Its attention never holds all scores.
constexpr RuntimeMemory kMemory{.library = 60 << 20, .node = 60 << 10, .attention_rows = 4};

class OpenVinoBackend final : public Backend {
 public:
  std::string_view name() const override { return "openvino"; }

  std::vector<Device> devices() const override {
    std::vector<Device> found;
    if (const LibraryPtr library = opened_or_null<Library>()) {
      for (const std::string& device : listed_devices(*library)) found.push_back(described(*library, device));
    }
    return found;
  }

  bool knows(std::string_view device) const override { return is_kind(device); }
  std::vector<std::string> files() const override { return Library::files(); }

  std::vector<Precision> precisions(std::string_view device) const override {
    const LibraryPtr library = opened_or_null<Library>();
    if (library == nullptr) return {Precision::f32};
    try {
      return precisions_of(runtime_name(device, *library), *library);
    } catch (const Error&) {
      return {Precision::f32};  // not here: compile() says why
    }
  }

  RunCost run_cost(std::string_view device) const override {
    return lowered_run_cost(device.empty() || device.starts_with("cpu"));
  }

  Support supports(const Graph&, const Device&) const override {
    return {};  // what ONNX has no operator for runs by its primitives
  }

  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override {
    require_no_overrides(options);
    require_state(graph, options, "backend openvino");
    return estimate_memory(graph, weights, lowering_options(), extents, kMemory);
  }

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    require_no_overrides(options);
    require_state(graph, options, "backend openvino");
    const LibraryPtr library = Library::open();
    return make_plan(library, runtime_name(options.device, *library), graph, weights, options);
  }

 private:
  static Device described(const Library& library, const std::string& device) {
    return {"openvino:" + user_name(device),
            library.property(device, "FULL_DEVICE_NAME") + ", OpenVINO " + library.version()};
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() { return std::make_unique<OpenVinoBackend>(); }

}  // namespace accelerate::openvino
