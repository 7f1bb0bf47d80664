#include "backends/openvino/openvino_plan.hpp"

#include <array>

#include "backends/lowered_session.hpp"
#include "backends/openvino/devices.hpp"
#include "backends/openvino/model_reading.hpp"

namespace accelerate::openvino {
namespace {

using lowering::OnnxInput;
using lowering::OnnxModel;

constexpr lowering::Ragged kRagged = lowering::Ragged::rows;

// What our sessions share: each makes requests of its own to one compiled model.
struct Compiled {
  LibraryPtr library;
  Graph graph;
  std::vector<OnnxInput> inputs;
  Handle<ov::CompiledModel> model;
};

class OpenVinoSession final : public LoweredSession {
 public:
  explicit OpenVinoSession(const std::shared_ptr<const Compiled>& compiled)
      : LoweredSession(compiled->graph, compiled->inputs, kRagged),
        c_(compiled),
        request_(c_->library, c_->library->api().infer_request_free) {
    c_->library->check(c_->library->api().compiled_model_create_infer_request(c_->model.get(), request_.out()),
                       "starting a session");
  }

 private:
  void call(LoweredCall& made) override {
    const Library& library = *c_->library;
    const ov::Api& api = library.api();
    for (std::size_t i = 0; i < made.inputs.size(); ++i) {
      const Handle<ov::Tensor> tensor = tensor_over(c_->library, made.inputs[i]);
      library.check(api.infer_request_set_input_tensor_by_index(request_.get(), i, tensor.get()), "feeding");
    }
    for (std::size_t i = 0; i < made.outputs.size(); ++i) {
      const Handle<ov::Tensor> tensor = tensor_over(c_->library, made.outputs[i]);
      library.check(api.infer_request_set_output_tensor_by_index(request_.get(), i, tensor.get()), "binding outputs");
    }
    library.check(api.infer_request_infer(request_.get()), "running");
  }

  std::shared_ptr<const Compiled> c_;
  Handle<ov::InferRequest> request_;
};

using OpenVinoPlan = SharedPlan<OpenVinoSession, Compiled>;

constexpr std::size_t kMostTexts = 16;

template <std::size_t... kIndex>
ov::Status compile(const Library& library, const ov::Model* model, const char* device,
                   const std::array<const char*, kMostTexts>& texts, std::size_t count, ov::CompiledModel** compiled,
                   std::index_sequence<kIndex...>) {
  return library.api().core_compile_model(library.core(), model, device, count, compiled, texts[kIndex]...);
}

Handle<ov::CompiledModel> compile_model(const LibraryPtr& library, const ov::Model* model, const std::string& device,
                                        const Settings& settings) {
  std::array<const char*, kMostTexts> texts{};  // what is behind the count is not looked at
  std::size_t count = 0;
  for (const auto& [key, value] : settings) {
    texts.at(count++) = key.c_str();
    texts.at(count++) = value.c_str();
  }
  Handle<ov::CompiledModel> compiled(library, library->api().compiled_model_free);
  library->check(
      compile(*library, model, device.c_str(), texts, count, compiled.out(), std::make_index_sequence<kMostTexts>()),
      "compiling");
  return compiled;
}

}  // namespace

lowering::OnnxOptions lowering_options() { return {.opset = 21, .ragged = kRagged}; }

std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const std::string& device, const Graph& graph,
                                const std::shared_ptr<const Weights>& weights, const CompileOptions& options) {
  OnnxModel model = to_onnx(graph, *weights, lowering_options());
  const Settings settings = settings_of(device, options, *library);
  const Handle<ov::Model> read = read_model(library, model, options.cancellation);
  auto compiled = std::make_shared<Compiled>(
      Compiled{library, graph, std::move(model.inputs), compile_model(library, read.get(), device, settings)});
  for (const lowering::OnnxInitializer& each : model.initializers) {
    if (each.weight != nullptr) each.weight->release();
  }
  return std::make_unique<OpenVinoPlan>(std::move(compiled));
}

}  // namespace accelerate::openvino
