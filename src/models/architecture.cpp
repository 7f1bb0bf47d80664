#include "models/architecture.hpp"

#include <algorithm>

#include "checkpoint/nearest.hpp"
#include "core/text.hpp"
#include "models/gguf_folder.hpp"
#include "models/register.hpp"
#include "models/sentence_transformer.hpp"

namespace accelerate {
namespace {

// The first name of each task is what name_of() gives.
constexpr std::pair<std::string_view, Task> kTaskNames[] = {
    {"embed", Task::embed},
    {"feature-extraction", Task::embed},
    {"sentence-similarity", Task::embed},
    {"fill-mask", Task::fill_mask},
    {"text-classification", Task::text_classification},
    {"classify", Task::text_classification},
    {"sentiment-analysis", Task::text_classification},
    {"text-ranking", Task::text_classification},
    {"rerank", Task::text_classification},
    {"token-classification", Task::token_classification},
    {"ner", Task::token_classification},
    {"question-answering", Task::question_answering},
    {"qa", Task::question_answering},
    {"text-generation", Task::text_generation},
    {"generate", Task::text_generation},
    {"text2text-generation", Task::text_generation},
};

}  // namespace

std::string_view name_of(Family family) {
  constexpr std::string_view kNames[] = {"embedding", "text-generation", "vision", "audio", "multimodal"};
  return kNames[static_cast<std::size_t>(family)];
}

std::string_view name_of(Task task) {
  return std::ranges::find(kTaskNames, task, [](auto& row) { return row.second; })->first;
}

Task task_named(std::string_view name) {
  for (const auto& [known, task] : kTaskNames) {
    if (known == name) return task;
  }
  throw Error(ErrorKind::invalid_input, "no task \"" + std::string(name) + "\"; there are " +
                                            joined(kTaskNames, ", ", [](const auto& row) { return row.first; }));
}

const Graph& Program::graph(std::string_view name) const {
  const auto found = graphs.find(name);
  if (found != graphs.end()) return found->second;
  throw Error(ErrorKind::not_found, "no graph \"" + std::string(name) + "\"; there are " +
                                        joined(graphs, ", ", [](const auto& entry) { return entry.first; }));
}

bool Program::offers(Task task) const { return std::ranges::find(tasks, task) != tasks.end(); }

void Program::require(Task task) const {
  if (offers(task)) return;
  const std::string made =
      class_name.empty() ? "this model names no class in its config" : "this model is a " + class_name;
  throw Error(ErrorKind::unsupported, made + " and does not do " + std::string(name_of(task)) + "; it does " +
                                          joined(tasks, ", ", [](Task each) { return name_of(each); }));
}

const std::vector<const Architecture*>& architectures() {
  static const std::vector<const Architecture*> all{
      &albert(),     &bart(),     &bert(),  &distilbert(), &electra(), &gemma(),   &gemma2(),     &gemma3_text(),
      &gpt2(),       &gpt_neox(), &llama(), &marian(),     &mistral(), &mixtral(), &modernbert(), &mpnet(),
      &nomic_bert(), &opt(),      &phi3(),  &qwen2(),      &qwen3(),   &roberta(), &t5(),         &xlm_roberta()};
  return all;
}

const Architecture* find_architecture(std::string_view model_type) {
  const auto found = std::ranges::find(architectures(), model_type, &Architecture::model_type);
  return found == architectures().end() ? nullptr : *found;
}

const Architecture& architecture_of(std::string_view model_type) {
  if (const Architecture* found = find_architecture(model_type)) return *found;
  std::vector<std::string> known;
  for (const Architecture* architecture : architectures()) known.emplace_back(architecture->model_type());
  throw Error(ErrorKind::unsupported, "model_type \"" + std::string(model_type) + "\" is not supported; there are " +
                                          joined(nearest(model_type, known, known.size())));
}

Checkpoint open_checkpoint(const std::filesystem::path& model) {
  return is_gguf_file(model) ? open_gguf(model) : Checkpoint::open(model, transformer_path(model));
}

ModelDefinition open_model(const std::filesystem::path& folder) { return open_model(open_checkpoint(folder)); }

ModelDefinition open_model(Checkpoint checkpoint) {
  const Architecture* architecture = nullptr;
  try {
    architecture = &architecture_of(checkpoint.config().model_type());
  } catch (const Error& error) {
    throw error.where().empty() ? error.within(checkpoint.config().where()) : error;
  }
  auto weights = std::make_shared<Weights>();
  weights->mount("", checkpoint, architecture->names(checkpoint.config()));
  mount_sentence_modules(checkpoint, *weights);
  architecture->add_computed(checkpoint.config(), *weights);
  Program program = architecture->build(checkpoint, *weights);
  return {std::move(checkpoint), architecture, std::move(weights), std::move(program)};
}

}  // namespace accelerate
