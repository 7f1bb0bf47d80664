// How one model_type is computed, and the registry of all of them.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "graph/builder.hpp"

namespace accelerate {

enum class Family { embedding, text_generation, vision, audio, multimodal };
// "embedding", "text-generation", "vision", "audio", "multimodal"
std::string_view name_of(Family family);

// What the user asks of a model, by the names that Transformers' pipelines use.
enum class Task { embed, fill_mask, text_classification, token_classification, question_answering, text_generation };
// "embed", "fill-mask", "text-classification", "token-classification", "question-answering", "text-generation"
std::string_view name_of(Task task);
// Also short and other usual names ("classify", "ner", "feature-extraction"); Error{invalid_input} listing the names
// there are.
Task task_named(std::string_view name);

// Named graphs that share weights. Text encoders have one, "encode", with the outputs
//   last_hidden_state [batch, tokens~, hidden], hidden_states.0 ..., pooler_output [batch, hidden],
//   logits, start_logits and end_logits [batch, tokens~], prediction_logits, ...: as the class of the checkpoint gives
//   them in Transformers, in its shapes,
//   selected_logits [selected, vocabulary] at rows chosen by the inputs selected.item and selected.position,
//   sentence_embedding [batch, n]: by the folder's own pooling modules, else the mean over tokens, which is also
//   there as mean_pooled.
// Decoders of text with a head have "decode" beside it, which keeps state: input_ids and position_ids of the tokens
//   that come next, and as output the logits [selected, vocabulary] that follow the selected ones.
struct Program {
  std::map<std::string, Graph, std::less<>> graphs;
  // What only files for other programs are written from, made when it is asked for, while there are the weights.
  // Beside "decode" there is "continue", the same with the logits of all of its tokens, [batch, tokens~, vocabulary].
  // Encoder-decoders also have "decoder", which keeps no state: of encoder_hidden_states [batch, source~, hidden] and
  //   whole target texts the logits [batch, tokens~, vocabulary].
  std::map<std::string, std::function<Graph()>, std::less<>> for_files;
  std::vector<Task> tasks;  // the first is what the folder was published for
  // The class, of those that config.json names, whose outputs there are: "BertForMaskedLM". Where none is known: the
  // first one, and the tasks are those of the model without its head. Empty where the config names none.
  std::string class_name;

  // Error{not_found} listing the graphs there are.
  const Graph& graph(std::string_view name) const;
  // The one that computes a task.
  const Graph& graph_of(Task task) const { return graph(task == Task::text_generation ? "decode" : "encode"); }
  bool offers(Task task) const;
  // Error{unsupported} naming the class and the tasks there are, unless offered.
  void require(Task task) const;
};

// Facts from the config alone.
struct Summary {
  std::int64_t layers = 0;
  std::int64_t hidden_size = 0;
  std::int64_t heads = 0;
  std::int64_t vocabulary = 0;
  std::int64_t max_tokens = 0;  // longest input, special tokens included
};

class Architecture {
 public:
  virtual ~Architecture() = default;
  virtual std::string_view model_type() const = 0;
  virtual Family family() const = 0;
  // The class of Transformers that reads a folder's older tokenizer files where they do not name one; empty: none.
  virtual std::string_view tokenizer_class() const { return {}; }
  // Error{corrupted} naming the field that is missing or makes no sense.
  virtual Summary summary(const Config& config) const = 0;
  // How published files spell the names that build() asks for.
  virtual NameMap names(const Config& config) const = 0;
  // Adds parameters that are computed from the config where the files leave them out.
  virtual void add_computed(const Config&, Weights&) const {}
  // Graphs for everything that the weights allow. Reads shapes, never values. Errors of the builder; of summary();
  // Error{unsupported} naming a setting of the config that changes the computation and is not known.
  virtual Program build(const Checkpoint& checkpoint, const Weights& weights) const = 0;
};

// All of them, by model_type in alphabetical order.
const std::vector<const Architecture*>& architectures();
// Null where there is none.
const Architecture* find_architecture(std::string_view model_type);
// Error{unsupported} listing what there is, the nearest name first.
const Architecture& architecture_of(std::string_view model_type);

// The folder that a model was published in, with its transformer's sub-folder where it has one, or a GGUF file. Errors
// of Checkpoint::open and of open_gguf.
Checkpoint open_checkpoint(const std::filesystem::path& model);

// A folder opened and understood: what every other layer starts from.
struct ModelDefinition {
  Checkpoint checkpoint;
  const Architecture* architecture = nullptr;
  std::shared_ptr<Weights> weights;
  Program program;
};
// Errors of open_checkpoint, of architecture_of and of build().
ModelDefinition open_model(const std::filesystem::path& folder);
ModelDefinition open_model(Checkpoint checkpoint);

}  // namespace accelerate
