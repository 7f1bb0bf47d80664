#include "runtime/loaded_model.hpp"

#include <unistd.h>

#include <algorithm>

#include "runtime/load_failure.hpp"
#include "runtime/model_facts.hpp"

namespace accelerate::runtime {
namespace {

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

// Runtimes say little of a folder that they cannot write to.
void check_resources(const OpenOptions& options) {
  if (options.memory_limit < 0) {
    throw Error(ErrorKind::invalid_input, "is " + std::to_string(options.memory_limit) + ", expected 0 or more bytes",
                "memory_limit");
  }
  if (options.cache_folder.empty()) return;
  std::error_code failed;
  std::filesystem::create_directories(options.cache_folder, failed);
  if (!failed && ::access(options.cache_folder.c_str(), W_OK | X_OK) == 0) return;
  const std::string why = failed ? "cannot be made: " + failed.message() : "cannot be written to";
  throw Error(ErrorKind::invalid_input, why, "cache_folder: " + options.cache_folder.string());
}

std::unique_ptr<const SplitBackend> split_of(const Place& place, const OpenOptions& options) {
  if (!options.split) return nullptr;
  return std::make_unique<const SplitBackend>(borrowed(*place.backend), borrowed(*backends().front()));
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
  ModelInfo info = facts_of(checkpoint);
  info.architecture = definition.program.class_name;
  info.family = name_of(definition.architecture->family());
  for (const Task task : definition.program.tasks) info.tasks.emplace_back(name_of(task));
  if (!info.tasks.empty()) info.task = info.tasks.front();
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

std::vector<std::string> outputs_of(const ModelDefinition& definition, Task task) {
  definition.program.require(task);
  switch (task) {
    case Task::embed: return {"sentence_embedding"};
    case Task::fill_mask: return {"selected_logits"};
    case Task::text_classification:
    case Task::token_classification: return {"logits"};
    case Task::question_answering: return {"start_logits", "end_logits"};
    case Task::text_generation: return {"logits"};
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

Computation::Computation(const OpenedFolder& opened, const Place& place, const PrecisionChoice& precision,
                         const OpenOptions& options)
    : place_(place),
      precision_(precision),
      split_(split_of(place, options)),
      plans_(backend(),
             {.device = place.device,
              .precision = precision.precision,
              .overrides = precision.layers,
              .state = state_type(options.cache_precision),
              .threads = options.threads,
              .cancellation = options.cancellation,
              .memory_limit = options.memory_limit,
              .cache_folder = options.cache_folder.string()},
             opened.definition().weights,
             [folder = opened.info().folder](const Error& error, const Backend& on, const CompileOptions& with) {
               record_load_failure(error, on, with, folder);
             }) {}

LoadedModel::LoadedModel(const std::filesystem::path& folder, const OpenOptions& options) {
  check_resources(options);
  const std::vector<std::string> devices = devices_asked(options.device);
  opened_ = std::make_shared<const OpenedFolder>(folder, options);
  info_ = opened_->info();
  const bool several = devices.size() > 1 && options.fallback;
  info_.devices = choose_device(devices, options.fallback, [&](const Place& place) {
    compute_on(place, choose_precision(opened_->info(), place, options), options);
    if (several) compiled(task_of(options.task))->prepare();
  });
  if (const SplitBackend* split = computation_->split()) {
    info_.split_operations = split->moved(compiled(task_of(options.task))->graph(), {computation_->place().name, {}});
  }
  describe();
}

LoadedModel::LoadedModel(const LoadedModel& other, const PrecisionChoice& choice)
    : opened_(other.opened_), info_(other.opened_->info()) {
  compute_on(other.computation_->place(), choice,
             {.split = other.computation_->split() != nullptr,
              .cache_precision = std::string(name_of(other.plan_options().state)),
              .threads = other.plan_options().threads,
              .cancellation = other.plan_options().cancellation,
              .memory_limit = other.plan_options().memory_limit,
              .cache_folder = other.plan_options().cache_folder});
  info_.devices = other.info_.devices;
  info_.split_operations = other.info_.split_operations;
  describe();
}

void LoadedModel::compute_on(const Place& place, const PrecisionChoice& choice, const OpenOptions& options) {
  expect_paths(definition().program.graph(kEncode), choice.layers);
  computation_ = std::make_unique<Computation>(*opened_, place, choice, options);
}

void LoadedModel::describe() {
  info_.device = computation_->place().name;
  const PrecisionChoice& choice = computation_->precision();
  info_.precision = name_of(choice.precision);
  info_.precision_reason = choice.reason;
  for (const auto& [path, precision] : choice.layers) info_.layer_precisions[path] = name_of(precision);
}

Task LoadedModel::task_of(std::string_view name) const {
  return name.empty() ? definition().program.tasks.front() : task_named(name);
}

std::vector<std::string> LoadedModel::layers(Task task) const {
  const Graph graph = definition().program.graph_of(task).restricted_to(outputs_of(definition(), task));
  return backend().lowered(graph, computation_->place().device);
}

bool LoadedModel::speaks_like(const LoadedModel& other) const {
  if (opened_ == other.opened_) return true;
  {
    const std::lock_guard lock(lending_);
    if (speaks_like_.lock() == other.opened_) return true;
  }
  const text::Tokenizer &own = processor().tokenizer(), &others = other.processor().tokenizer();
  if (own.vocab_size() != others.vocab_size()) return false;
  for (std::size_t id = 0; id < own.vocab_size(); ++id) {
    const auto number = static_cast<std::int32_t>(id);
    if (own.id_to_token(number) != others.id_to_token(number)) return false;
  }
  const std::lock_guard lock(lending_);
  speaks_like_ = other.opened_;
  return true;
}

std::shared_ptr<CompiledGraph> LoadedModel::compiled(Task task) const {
  const std::vector<std::string> outputs = outputs_of(definition(), task);
  if (task != Task::text_generation) return compiled(outputs);
  return compiled("decode", [&] { return definition().program.graph_of(task).restricted_to(outputs); });
}

std::shared_ptr<CompiledGraph> LoadedModel::compiled(const std::vector<std::string>& outputs) const {
  std::string key;
  for (const std::string& output : outputs) key += output + "\n";
  return compiled(key, [&] { return definition().program.graph(kEncode).restricted_to(outputs); });
}

std::unique_ptr<Sequences> LoadedModel::borrow_sequences() const {
  const std::lock_guard lock(lending_);
  if (idle_.empty()) return std::make_unique<Sequences>(compiled(Task::text_generation));
  std::unique_ptr<Sequences> sequences = std::move(idle_.back());
  idle_.pop_back();
  return sequences;
}

void LoadedModel::give_back(std::unique_ptr<Sequences> sequences) const {
  sequences->rest();
  const std::lock_guard lock(lending_);
  idle_.push_back(std::move(sequences));
}

std::shared_ptr<CompiledGraph> LoadedModel::compiled(const std::string& key, const std::function<Graph()>& make) const {
  return computation_->plans().get(key, make);
}

}  // namespace accelerate::runtime
