#include <algorithm>

#include "runtime/loaded_model.hpp"
#include "runtime/prediction.hpp"

namespace accelerate {
namespace {

using runtime::kEncode;

// Predictions hold a length for every text of the batch.
constexpr std::int64_t kMostTexts = std::int64_t{1} << 20;

runtime::TextSettings settings_of(const ModelDefinition& definition) {
  const Checkpoint& checkpoint = definition.checkpoint;
  return runtime::text_settings(checkpoint, definition.architecture->summary(checkpoint.config()).max_tokens);
}

Graph graph_of_task(const ModelDefinition& definition, const std::string& task) {
  const Task wanted = task.empty() ? definition.program.tasks.front() : task_named(task);
  return definition.program.graph(kEncode).restricted_to(runtime::outputs_of(definition, wanted));
}

void expect_sizes(const std::vector<std::int64_t>& sizes, const char* name, std::int64_t most) {
  for (const std::int64_t size : sizes) {
    if (size >= 1 && (most == 0 || size <= most)) continue;
    throw Error(ErrorKind::invalid_input,
                "is " + std::to_string(size) + ", expected 1 " +
                    (most == 0 ? std::string("or more") : "to " + std::to_string(most)),
                name);
  }
}

// 128 and the longest, or the longest alone where that is no more.
std::vector<std::int64_t> default_lengths(std::int64_t longest) {
  if (longest == 0) return {128};
  return longest <= 128 ? std::vector<std::int64_t>{longest} : std::vector<std::int64_t>{128, longest};
}

}  // namespace

Inspection inspect(const std::filesystem::path& folder, const InspectOptions& options) {
  const ModelDefinition definition = open_model(folder);
  const runtime::TextSettings settings = settings_of(definition);
  const Graph graph = graph_of_task(definition, options.task);
  const Backend& backend = runtime::backend_of_device(options.device);
  Inspection inspection{runtime::info_of(definition, settings), {}, {}, {}};
  const std::int64_t most = definition.architecture->summary(definition.checkpoint.config()).max_tokens;
  const auto lengths = options.tokens.empty() ? default_lengths(settings.max_tokens) : options.tokens;
  expect_sizes(lengths, "tokens", most);
  expect_sizes(options.batches, "batches", kMostTexts);
  for (const Support::Missing& missing : backend.supports(graph, {std::string(backend.name()), {}}).missing) {
    inspection.missing.push_back(missing.operation + ": " + missing.reason);
  }
  if (!inspection.missing.empty()) return inspection;
  for (const std::string& precision : options.precisions) {
    const runtime::PrecisionChoice choice = runtime::choose_precision(
        inspection.info, backend, {.device = options.device, .precision = precision, .threads = options.threads});
    if (!choice.reason.empty()) inspection.notes.push_back(choice.reason);
    const CompileOptions compile{.precision = choice.precision, .overrides = choice.layers, .threads = options.threads};
    for (const std::int64_t batch : options.batches) {
      for (const std::int64_t tokens : lengths) {
        inspection.memory.push_back(
            runtime::predict_memory(graph, *definition.weights, backend, compile, runtime::extents_of(batch, tokens)));
      }
    }
  }
  return inspection;
}

std::string describe_graph(const std::filesystem::path& folder, GraphFormat format,
                           const std::vector<std::string>& outputs) {
  const ModelDefinition definition = open_model(folder);
  const Graph graph =
      outputs.empty() ? graph_of_task(definition, {}) : definition.program.graph(kEncode).restricted_to(outputs);
  return format == GraphFormat::graphviz ? to_graphviz(graph) : to_text(graph);
}

}  // namespace accelerate
