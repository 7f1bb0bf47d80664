#include "lowering/onnx.hpp"
#include "lowering/onnx_file.hpp"
#include "runtime/loaded_model.hpp"

namespace accelerate {
namespace {

using runtime::kEncode;

// What is written unless outputs are named: as Transformers names what the task reads, in its shape.
std::vector<std::string> outputs_of_task(const ModelDefinition& definition, const std::string& name) {
  const Task task = name.empty() ? definition.program.tasks.front() : task_named(name);
  if (task != Task::fill_mask) return runtime::outputs_of(definition, task);
  definition.program.require(task);
  const bool has_logits = definition.program.graph(kEncode).find_output("logits") != nullptr;
  return {has_logits ? "logits" : "prediction_logits"};
}

DType real_of(const std::string& precision) {
  if (precision == "f32") return DType::f32;
  if (precision == "f16") return DType::f16;
  throw Error(ErrorKind::unsupported, "precision \"" + precision + "\" is not written, only f32 and f16", "export");
}

}  // namespace

ExportedModel export_onnx(const std::filesystem::path& folder, const std::filesystem::path& target,
                          const ExportOptions& options) {
  const DType real = real_of(options.precision);
  const ModelDefinition definition = open_model(folder);
  const auto outputs = options.outputs.empty() ? outputs_of_task(definition, options.task) : options.outputs;
  const Graph graph = definition.program.graph(kEncode).restricted_to(outputs);
  const std::int64_t longest = definition.architecture->summary(definition.checkpoint.config()).max_tokens;
  const lowering::OnnxModel model =
      lowering::to_onnx(graph, *definition.weights,
                        {.opset = options.opset, .transpose_weights = true, .self_contained = longest, .real = real});
  const lowering::OnnxFiles files = lowering::write_onnx(model, target, options.force, options.cancellation);
  ExportedModel exported{.model = files.model, .weights = files.weights, .bytes = files.bytes};
  for (const auto& input : model.inputs) exported.inputs.push_back(input.name);
  for (const auto& output : model.outputs) exported.outputs.push_back(output.name);
  return exported;
}

}  // namespace accelerate
