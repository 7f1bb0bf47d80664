#include <algorithm>

#include "runtime/loaded_model.hpp"
#include "runtime/model_facts.hpp"
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
  return definition.program.graph_of(wanted).restricted_to(runtime::outputs_of(definition, wanted));
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

// From the widest to the narrowest.
std::vector<std::string> precisions_of(const Backend& backend, std::string_view device) {
  std::vector<Precision> all = backend.precisions(device);
  std::ranges::sort(all);
  std::vector<std::string> names;
  for (const Precision precision : all) names.emplace_back(name_of(precision));
  return names;
}

// Of every precision, batch and length, or what the device lacks.
void predict_on(const Place& place, const ModelDefinition& definition, const Graph& graph,
                const InspectOptions& options, const std::vector<std::int64_t>& lengths, Inspection& inspection) {
  const SplitBackend split(borrowed(*place.backend), borrowed(*backends().front()));
  const Backend& backend = options.split ? split : *place.backend;
  const Support support = backend.supports(graph, {place.name, {}});
  for (const Support::Missing& missing : support.missing) {
    inspection.missing.push_back(place.name + ": " + missing.operation + ": " + missing.reason);
  }
  if (!support) return;
  for (const std::string& precision :
       options.precisions.empty() ? precisions_of(backend, place.device) : options.precisions) {
    const runtime::PrecisionChoice choice =
        runtime::choose_precision(inspection.info, place, {.precision = precision, .threads = options.threads});
    if (!choice.reason.empty()) inspection.notes.push_back(choice.reason);
    const CompileOptions compile{.device = place.device,
                                 .precision = choice.precision,
                                 .overrides = choice.layers,
                                 .state = state_type(options.cache_precision),
                                 .threads = options.threads};
    for (const std::int64_t batch : options.batches) {
      for (const std::int64_t tokens : lengths) {
        inspection.memory.push_back(
            runtime::predict_memory(graph, *definition.weights, backend, compile, runtime::extents_of(batch, tokens)));
      }
    }
  }
}

// What there is to say of a model that this version cannot run.
Inspection without_architecture(const Checkpoint& checkpoint) {
  Inspection inspection{runtime::facts_of(checkpoint), {}, {}, {}};
  try {
    architecture_of(inspection.info.model_type);
  } catch (const Error& error) {
    inspection.notes.push_back("it cannot be run, nor its memory predicted: " + error.message());
  }
  return inspection;
}

}  // namespace

Inspection inspect(const std::filesystem::path& folder, const InspectOptions& options) {
  Checkpoint checkpoint = open_checkpoint(folder);
  if (find_architecture(checkpoint.config().model_type()) == nullptr) return without_architecture(checkpoint);
  const ModelDefinition definition = open_model(std::move(checkpoint));
  const runtime::TextSettings settings = settings_of(definition);
  const Graph graph = graph_of_task(definition, options.task);
  Inspection inspection{runtime::info_of(definition, settings), {}, {}, {}};
  const std::int64_t most = definition.architecture->summary(definition.checkpoint.config()).max_tokens;
  const auto lengths = options.tokens.empty() ? default_lengths(settings.max_tokens) : options.tokens;
  expect_sizes(lengths, "tokens", most);
  expect_sizes(options.batches, "batches", kMostTexts);
  const std::vector<std::string> devices = runtime::devices_asked(options.device);
  for (const std::string& device : devices) {
    try {
      predict_on(place_named(device), definition, graph, options, lengths, inspection);
    } catch (const Error& error) {
      // One device that is not there says nothing about the others.
      if (devices.size() == 1) throw;
      inspection.notes.emplace_back(error.what());
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
