#include "backends/onnx/onnx_backend.hpp"

#include <cmath>

#include "backends/lowered_memory.hpp"
#include "backends/onnx/onnx_plan.hpp"
#include "graph/builder.hpp"

namespace accelerate::onnx {
namespace {

void require_f32(const CompileOptions& options) {
  const auto require = [](Precision precision, const std::string& where) {
    if (precision == Precision::f32) return;
    throw Error(ErrorKind::unsupported, "precision " + std::string(name_of(precision)) + " is not there, only f32",
                where);
  };
  require(options.precision, "backend onnx");
  for (const auto& [path, precision] : options.overrides) require(precision, "backend onnx: " + path);
}

// The smallest product with a known answer.
void check_product(const LibraryPtr& library, const Placement& placement) {
  auto weights = std::make_shared<Weights>();
  weights->add("weight", Tensor::of<float>({2, 2}, {1, 2, 3, 4}));
  Builder b("probe", *weights);
  b.output("y", b.linear(b.input("x", {Element::real, Shape{kBatch, 2}}), b.weight("weight"), {}));
  Feeds feeds;
  feeds.extents.set("batch", 1);
  feeds.tensors["x"] = Tensor::of<float>({1, 2}, {5, 6});
  const auto plan = make_plan(library, placement, b.finish(), weights, {.threads = 1});
  const Tensor y = plan->start()->run(feeds).at("y");
  const std::span<const float> values = y.as<float>();
  if (std::abs(values[0] - 17) < 1e-5F && std::abs(values[1] - 39) < 1e-5F) return;
  throw Error(ErrorKind::device_failed, "gives wrong products", "backend onnx, device " + placement.name());
}

class OnnxBackend final : public Backend {
 public:
  std::string_view name() const override { return "onnx"; }

  std::vector<Device> devices() const override {
    std::vector<Device> found;
    try {
      const LibraryPtr library = Library::open();
      for (const Placement& placement : listed_devices(*library)) {
        if (works(library, placement)) found.push_back(described(*library, placement));
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable) throw;
    }
    return found;
  }

  Support supports(const Graph&, const Device&) const override {
    return {};  // what ONNX has no operator for runs by its primitives
  }

  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override {
    require_f32(options);
    return estimate_memory(graph, to_onnx(graph, weights, lowering_options(providers().front())), extents);
  }

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    require_f32(options);
    const LibraryPtr library = Library::open();
    return make_plan(library, placement_of(options.device, *library), graph, std::move(weights), options);
  }

 private:
  static bool works(const LibraryPtr& library, const Placement& placement) {
    try {
      check_product(library, placement);
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  static Device described(const Library& library, const Placement& placement) {
    return {"onnx:" + placement.name(),
            std::string(placement.provider->description) + ", ONNX Runtime " + library.version()};
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() { return std::make_unique<OnnxBackend>(); }

}  // namespace accelerate::onnx
