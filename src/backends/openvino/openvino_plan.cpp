#include "backends/openvino/openvino_plan.hpp"

#include <algorithm>
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
  std::size_t outputs = 0;  // of the model
  Handle<ov::CompiledModel> model;
};

using Request = Handle<ov::InferRequest>;

// Of each state its past, in the order of the graph: outputs of a request in memory of its own, to which it would write
// again if it ran while this is held.
struct OpenVinoPast final : lowering::KeptPast {
  std::shared_ptr<const Compiled> compiled;
  std::shared_ptr<const Request> request;
  std::vector<Handle<ov::Tensor>> states;
};

class OpenVinoSession final : public LoweredSession {
 public:
  explicit OpenVinoSession(const std::shared_ptr<const Compiled>& compiled)
      : LoweredSession(compiled->graph, compiled->inputs, kRagged), c_(compiled) {
    add_request();
  }

 private:
  void call(LoweredCall& made) override {
    const std::shared_ptr<const Request> request = free_request();
    feed(*request, made.inputs, static_cast<const OpenVinoPast*>(made.past.get()));
    bind(*request, made.outputs);
    check(api().infer_request_infer(request->get()), "running");
    if (made.has_next) made.present = outputs_from(made.outputs.size(), request);
  }
  void trim() override { std::erase_if(requests_, is_free); }

  const ov::Api& api() const { return c_->library->api(); }
  void check(ov::Status status, const char* where) const { c_->library->check(status, where); }

  static bool is_free(const std::shared_ptr<const Request>& request) { return request.use_count() == 1; }

  std::shared_ptr<const Request> free_request() {
    const auto found = std::ranges::find_if(requests_, is_free);
    return found == requests_.end() ? add_request() : *found;
  }

  std::shared_ptr<const Request> add_request() {
    Request request(c_->library, api().infer_request_free);
    check(api().compiled_model_create_infer_request(c_->model.get(), request.out()), "starting a session");
    return requests_.emplace_back(std::make_shared<const Request>(std::move(request)));
  }

  void feed(const Request& request, const std::vector<Tensor>& inputs, const OpenVinoPast* past) const {
    std::size_t state = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].empty()) {
        feed(request, i, past->states.at(state++));
      } else {
        feed(request, i, tensor_over(c_->library, inputs[i]));
      }
    }
  }
  void feed(const Request& request, std::size_t input, const Handle<ov::Tensor>& tensor) const {
    check(api().infer_request_set_input_tensor_by_index(request.get(), input, tensor.get()), "feeding");
  }

  // Those behind the outputs given are what states then hold. The request has memory for them, which the processor's
  // plugin computes them in; into any other of a size that it does not know it copies them.
  void bind(const Request& request, const std::vector<Tensor>& outputs) const {
    for (std::size_t i = 0; i < outputs.size(); ++i) {
      const Handle<ov::Tensor> tensor = tensor_over(c_->library, outputs[i]);
      check(api().infer_request_set_output_tensor_by_index(request.get(), i, tensor.get()), "binding outputs");
    }
  }

  std::shared_ptr<const OpenVinoPast> outputs_from(std::size_t first, std::shared_ptr<const Request> request) const {
    auto past = std::make_shared<OpenVinoPast>();
    past->compiled = c_;
    for (std::size_t i = first; i < c_->outputs; ++i) {
      Handle<ov::Tensor>& tensor = past->states.emplace_back(c_->library, api().tensor_free);
      check(api().infer_request_get_output_tensor_by_index(request->get(), i, tensor.out()), "keeping the past");
    }
    past->request = std::move(request);
    return past;
  }

  std::shared_ptr<const Compiled> c_;
  // Two where a past is kept: it lies in one, the other runs next. None after trim().
  std::vector<std::shared_ptr<const Request>> requests_;
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

lowering::OnnxOptions lowering_options() { return {.opset = 21, .ragged = kRagged, .present = true}; }

std::unique_ptr<Plan> make_plan(const LibraryPtr& library, const std::string& device, const Graph& graph,
                                const std::shared_ptr<const Weights>& weights, const CompileOptions& options) {
  OnnxModel model = to_onnx(graph, *weights, lowering_options());
  const Settings settings = settings_of(device, options, *library);
  const Handle<ov::Model> read = read_model(library, model, options.cancellation);
  auto compiled = std::make_shared<Compiled>(Compiled{library, graph, std::move(model.inputs), model.outputs.size(),
                                                      compile_model(library, read.get(), device, settings)});
  for (const lowering::OnnxInitializer& each : model.initializers) {
    if (each.weight != nullptr) each.weight->release();
  }
  return std::make_unique<OpenVinoPlan>(std::move(compiled));
}

}  // namespace accelerate::openvino
