#include <algorithm>
#include <cmath>

#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

constexpr const char* kEmbedding = "sentence_embedding";

std::string prompt_of(const TextSettings& settings, const EmbedOptions& options) {
  if (options.prompt) return *options.prompt;
  const std::string& name = options.prompt_name ? *options.prompt_name : settings.default_prompt;
  if (name.empty() && !options.prompt_name) return {};
  if (const auto found = settings.prompts.find(name); found != settings.prompts.end()) return found->second;
  std::string known;
  for (const auto& [prompt, text] : settings.prompts) known += (known.empty() ? "" : ", ") + prompt;
  throw Error(ErrorKind::invalid_input, known.empty() ? "this folder has no prompts" : "there are " + known,
              "prompt \"" + name + "\"");
}

// The value before a last step of normalisation.
Graph without_normalize(const Graph& graph) {
  Value value = graph.find_output(kEmbedding)->value;
  const Node& last = graph.node(value);
  if (last.source == Node::Source::operation && last.operation->name() == "normalize") value = last.operands.front();
  return Graph(graph.name(), graph.nodes(), {{kEmbedding, value}}).restricted_to(std::vector<std::string>{kEmbedding});
}

std::shared_ptr<CompiledGraph> embedding_graph(const LoadedModel& model, const EmbedOptions& options) {
  const std::shared_ptr<CompiledGraph> own = model.compiled(Task::embed);
  if (options.normalize.value_or(true)) return own;
  return model.compiled("embedding as pooled", [&] { return without_normalize(own->graph()); });
}

void normalize_rows(Tensor& vectors) {
  const auto width = static_cast<std::size_t>(vectors.dim(1));
  const std::span<float> values = vectors.as<float>();
  for (std::size_t at = 0; at < values.size(); at += width) {
    const auto row = values.subspan(at, width);
    double squares = 0;
    for (const float v : row) squares += double{v} * v;
    const auto length = static_cast<float>(std::max(std::sqrt(squares), 1e-12));
    for (float& v : row) v /= length;
  }
}

}  // namespace

Embeddings embed(const LoadedModel& model, std::span<const std::string> texts, const EmbedOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = embedding_graph(model, options);
  const TextProcessor& processor = model.processor();
  const std::string prompt = prompt_of(model.settings(), options);
  std::vector<std::string> prompted;
  if (!prompt.empty()) {
    for (const std::string& text : texts) prompted.push_back(prompt + text);
  }
  const TokenizedTexts tokenized = processor.ids_of(views(prompt.empty() ? texts : prompted), options.batch);
  std::vector<Item> items = items_of(tokenized);
  if (!prompt.empty() && compiled->graph().find_input("prompt_length") != nullptr) {
    const std::int64_t length = processor.prompt_length(prompt);
    for (Item& item : items) item.prompt_length = length;
  }
  const Graph& graph = compiled->graph();
  const std::int64_t width = graph.node(graph.find_output(kEmbedding)->value).type.shape.last().number();
  Embeddings result{Tensor(DType::f32, {static_cast<std::int64_t>(texts.size()), width}), tokenized.truncated};
  for_each_batch(std::move(items), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const Outputs outputs = compiled->run(feeds_of(graph, batch), options.batch.cancellation);
    place_rows(outputs.at(kEmbedding), false, batch, result.vectors);
  });
  if (options.normalize.value_or(false)) normalize_rows(result.vectors);
  return result;
}

}  // namespace accelerate::runtime
