#include "runtime/loaded_model.hpp"

#include <algorithm>

#include "runtime/load_failure.hpp"

namespace accelerate::runtime {
namespace {

// The type that most bytes of the weights have.
std::string stored_dtype(const Checkpoint& checkpoint) {
  std::map<std::string, std::size_t> bytes;
  for (const StoredTensor* tensor : checkpoint.tensors()) {
    bytes[tensor->readable ? std::string(name_of(tensor->dtype)) : tensor->encoding] += tensor->bytes.size();
  }
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return most == bytes.end() ? "" : most->first;
}

// A path that is nowhere in the model is most likely misspelt.
void expect_paths(const Graph& graph, const std::map<std::string, Precision>& layers) {
  for (const auto& [path, precision] : layers) {
    const bool there = std::ranges::any_of(graph.nodes(), [&path = path](const Node& node) {
      return !path.empty() && node.source == Node::Source::operation && node.name.starts_with(path) &&
             (node.name.size() == path.size() || node.name[path.size()] == '.');
    });
    if (there) continue;
    throw Error(ErrorKind::invalid_input, "no layer has this path or lies below it", "layer_precisions: " + path,
                "Model::layers() lists them");
  }
}

ModelInfo info_with(ModelInfo info, const PrecisionChoice& choice) {
  info.precision = name_of(choice.precision);
  info.precision_reason = choice.reason;
  for (const auto& [path, precision] : choice.layers) info.layer_precisions[path] = name_of(precision);
  return info;
}

ModelDefinition open_definition(const std::filesystem::path& folder, const OpenOptions& options) {
  options.cancellation.check();
  ModelDefinition definition = open_model(folder);
  options.cancellation.check();
  return definition;
}

}  // namespace

ModelInfo info_of(const ModelDefinition& definition, const TextSettings& settings) {
  const Checkpoint& checkpoint = definition.checkpoint;
  const Config& config = checkpoint.config();
  const Summary summary = definition.architecture->summary(config);
  const Graph& graph = definition.program.graph(kEncode);
  ModelInfo info;
  info.folder = checkpoint.folder();
  info.architecture = definition.program.class_name;
  info.model_type = config.model_type();
  info.family = name_of(definition.architecture->family());
  for (const Task task : definition.program.tasks) info.tasks.emplace_back(name_of(task));
  if (!info.tasks.empty()) info.task = info.tasks.front();
  info.parameters = checkpoint.parameter_count();
  info.weight_bytes = checkpoint.weight_bytes();
  info.dtype = stored_dtype(checkpoint);
  info.layers = summary.layers;
  info.hidden_size = summary.hidden_size;
  info.heads = summary.heads;
  info.vocabulary = summary.vocabulary;
  info.max_tokens = settings.max_tokens;
  if (const Graph::Output* embedding = graph.find_output("sentence_embedding")) {
    info.embedding_size = graph.node(embedding->value).type.shape.last().number();
  }
  const Program& program = definition.program;
  if (program.offers(Task::text_classification) || program.offers(Task::token_classification)) {
    info.labels = config.labels();
  }
  for (const Graph::Output& output : graph.outputs()) {
    if (output.name != "selected_logits") info.outputs.push_back(output.name);
  }
  info.prompts = settings.prompts;
  info.default_prompt = settings.default_prompt;
  return info;
}

const Backend& backend_of_device(std::string_view device) {
  return device == "auto" ? *backends().front() : backend_named(device);
}

std::vector<std::string> outputs_of(const ModelDefinition& definition, Task task) {
  definition.program.require(task);
  switch (task) {
    case Task::embed: return {"sentence_embedding"};
    case Task::fill_mask: return {"selected_logits"};
    case Task::text_classification:
    case Task::token_classification: return {"logits"};
    case Task::question_answering: return {"start_logits", "end_logits"};
  }
  throw Error(ErrorKind::internal, "no outputs are known for this task", std::string(name_of(task)));
}

OpenedFolder::OpenedFolder(const std::filesystem::path& folder, const OpenOptions& options)
    : definition_(open_definition(folder, options)),
      settings_(text_settings(definition_.checkpoint,
                              definition_.architecture->summary(definition_.checkpoint.config()).max_tokens,
                              definition_.architecture->tokenizer_class())),
      info_(info_of(definition_, settings_)) {}

const TextProcessor& OpenedFolder::processor() const {
  const std::lock_guard lock(opening_);
  if (!processor_) processor_ = std::make_unique<TextProcessor>(definition_.checkpoint, settings_);
  return *processor_;
}

LoadedModel::LoadedModel(const std::filesystem::path& folder, const OpenOptions& options)
    : LoadedModel(std::make_shared<const OpenedFolder>(folder, options), options) {}

LoadedModel::LoadedModel(std::shared_ptr<const OpenedFolder> opened, const OpenOptions& options)
    : LoadedModel(opened, backend_of_device(options.device),
                  choose_precision(opened->info(), backend_of_device(options.device), options), options) {}

LoadedModel::LoadedModel(const LoadedModel& other, const PrecisionChoice& choice)
    : LoadedModel(other.opened_, other.backend(), choice,
                  {.threads = other.plan_options().threads, .cancellation = other.plan_options().cancellation}) {}

LoadedModel::LoadedModel(std::shared_ptr<const OpenedFolder> opened, const Backend& backend,
                         const PrecisionChoice& choice, const OpenOptions& options)
    : opened_(std::move(opened)),
      info_(info_with(opened_->info(), choice)),
      plans_(backend,
             {.precision = choice.precision,
              .overrides = choice.layers,
              .threads = options.threads,
              .cancellation = options.cancellation},
             opened_->definition().weights,
             [folder = opened_->info().folder](const Error& error, const Backend& on, const CompileOptions& with) {
               record_load_failure(error, on, with, folder);
             }) {
  expect_paths(definition().program.graph(kEncode), choice.layers);
}

std::vector<std::string> LoadedModel::layers(Task task) const {
  return backend().lowered(definition().program.graph(kEncode).restricted_to(outputs_of(definition(), task)));
}

std::shared_ptr<CompiledGraph> LoadedModel::compiled(const std::vector<std::string>& outputs) const {
  std::string key;
  for (const std::string& output : outputs) key += output + "\n";
  return compiled(key, [&] { return definition().program.graph(kEncode).restricted_to(outputs); });
}

std::shared_ptr<CompiledGraph> LoadedModel::compiled(const std::string& key, const std::function<Graph()>& make) const {
  return plans_.get(key, make);
}

}  // namespace accelerate::runtime
