#include <algorithm>

#include "backends/lowered_precision.hpp"
#include "lowering/int8.hpp"
#include "lowering/onnx.hpp"
#include "lowering/onnx_file.hpp"
#include "runtime/loaded_model.hpp"

namespace accelerate {
namespace {

using runtime::kEncode;

// Where what is written in int8 is computed as others compute it: its records say which layers keep f32.
constexpr std::string_view kDevice = "onnx:cpu";

// Tokens that a file's tables reach to where only distances count, and nothing else bounds a text.
constexpr std::int64_t kLongestText = 4096;

std::int64_t longest_text(const ModelDefinition& definition) {
  const std::int64_t most = definition.architecture->summary(definition.checkpoint.config()).max_tokens;
  return most > 0 ? most : kLongestText;
}

// What is written unless outputs are named: as Transformers names what the task reads, in its shape.
std::vector<std::string> outputs_of_task(const ModelDefinition& definition, const std::string& name) {
  const Task task = name.empty() ? definition.program.tasks.front() : task_named(name);
  definition.program.require(task);
  if (task != Task::fill_mask) return runtime::outputs_of(definition, task);
  return {definition.program.graph(kEncode).find_output("logits") != nullptr ? "logits" : "prediction_logits"};
}

// What later runs read: of a decoder, or of the source of an encoder-decoder.
Graph graph_with_past(const Program& program, std::vector<std::string> outputs, bool decodes) {
  const auto make = program.for_files.find("continue");
  if (make == program.for_files.end()) {
    throw Error(ErrorKind::unsupported, "only a model that makes the next token has a past", "export");
  }
  if (decodes) return make->second();
  const Graph& next = program.graph("decode");
  const Graph& source = program.graph(kEncode);
  bool has_source = false;
  for (const Node& node : next.nodes()) {
    if (node.source != Node::Source::input || source.find_output(node.name) == nullptr) continue;
    has_source = true;
    if (std::ranges::find(outputs, node.name) == outputs.end()) outputs.push_back(node.name);
  }
  if (has_source) return source.restricted_to(outputs);
  throw Error(ErrorKind::unsupported, "with a past a decoder gives its logits and nothing else", "export");
}

// ONNX has no two outputs of one name.
void expect_no_output_twice(std::vector<std::string> outputs) {
  std::ranges::sort(outputs);
  const auto twice = std::ranges::adjacent_find(outputs);
  if (twice == outputs.end()) return;
  throw Error(ErrorKind::invalid_input, "output \"" + *twice + "\" is named twice, expected once", "export");
}

// The decoder of an encoder-decoder gives logits, everything else comes of its encoder.
Graph graph_of(const Program& program, const std::vector<std::string>& outputs, bool past) {
  const bool decodes = outputs == std::vector<std::string>{"logits"};
  if (past) return graph_with_past(program, outputs, decodes);
  const auto decoder = program.for_files.find("decoder");
  return decodes && decoder != program.for_files.end() ? decoder->second()
                                                       : program.graph(kEncode).restricted_to(outputs);
}

Precision precision_of(const ExportOptions& options) {
  const Precision precision = precision_named(options.precision);
  if (precision == Precision::f32 || precision == Precision::f16 || precision == Precision::int8) return precision;
  throw Error(ErrorKind::unsupported, "precision \"" + options.precision + "\" is not written, only f32, f16 and int8",
              "export");
}

lowering::ContribOperators contrib_of(const ExportOptions& options) {
  if (options.operators == "standard") return {};
  if (options.operators != "onnxruntime") {
    throw Error(ErrorKind::invalid_input,
                "operators \"" + options.operators + "\" are not known, only standard and onnxruntime", "export");
  }
  lowering::ContribOperators all = lowering::ContribOperators::all();
  all.rms_norm = false;
  return all;
}

lowering::OnnxOptions lowering_options(const runtime::OpenedFolder& opened, const Graph& graph,
                                       const ExportOptions& options) {
  const Precision precision = precision_of(options);
  const bool int8 = precision == Precision::int8;
  const ModelDefinition& definition = opened.definition();
  lowering::OnnxOptions made{.opset = options.opset != 0 ? options.opset
                                      : int8             ? lowering::kInt8Opset
                                                         : lowering::kOldestOpset,
                             .contrib = contrib_of(options),
                             .transpose_weights = true,
                             .self_contained = longest_text(definition),
                             .real = precision == Precision::f16 ? DType::f16 : DType::f32};
  if (!int8) return made;
  const Place device{&backend_named(kDevice), device_within(kDevice), std::string(kDevice)};
  const auto choice = runtime::choose_precision(opened.info(), device, {.precision = options.precision});
  made.int8 = products_in_int8(graph, {choice.precision, choice.layers});
  made.int8_tables = true;
  return made;
}

}  // namespace

ExportedModel export_onnx(const std::filesystem::path& folder, const std::filesystem::path& target,
                          const ExportOptions& options) {
  // Before anything is opened.
  precision_of(options);
  contrib_of(options);
  expect_no_output_twice(options.outputs);
  const runtime::OpenedFolder opened(folder, {.cancellation = options.cancellation});
  const ModelDefinition& definition = opened.definition();
  const auto outputs = options.outputs.empty() ? outputs_of_task(definition, options.task) : options.outputs;
  const Graph graph = graph_of(definition.program, outputs, options.past);
  const lowering::OnnxOptions lowered = lowering_options(opened, graph, options);
  const lowering::OnnxModel model = lowering::to_onnx(graph, *definition.weights, lowered);
  const lowering::OnnxFiles files = lowering::write_onnx(model, target, options.force, options.cancellation);
  ExportedModel exported{.model = files.model, .weights = files.weights, .bytes = files.bytes};
  for (const auto& input : model.inputs) exported.inputs.push_back(input.name);
  for (const auto& output : model.outputs) exported.outputs.push_back(output.name);
  if (lowered.int8_tables) {
    for (const std::string& path : lowering::int8_products(graph)) {
      ++exported.layers;
      if (!lowered.int8.contains(path)) exported.kept_in_f32.push_back(path);
    }
  }
  return exported;
}

}  // namespace accelerate
