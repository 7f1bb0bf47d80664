#include <algorithm>

#include "runtime/scores.hpp"
#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

ScoreFunction function_of(const LoadedModel& model, const ClassifyOptions& options, std::size_t labels) {
  if (options.activation) return score_function_named(*options.activation);
  const Checkpoint& checkpoint = model.definition().checkpoint;
  return score_function_of(checkpoint.config(), checkpoint.config("config_sentence_transformers.json"), labels);
}

std::string label_of(const ModelInfo& info, std::size_t id) {
  return id < info.labels.size() ? info.labels[id] : "LABEL_" + std::to_string(id);
}

}  // namespace

Classifications classify(const LoadedModel& model, std::span<const TextView> texts, const ClassifyOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(Task::text_classification);
  const Graph& graph = compiled->graph();
  const auto labels =
      static_cast<std::size_t>(graph.node(graph.find_output("logits")->value).type.shape.last().number());
  const ScoreFunction function = function_of(model, options, labels);
  const TokenizedTexts tokenized = model.processor().ids_of(texts, options.batch);
  Classifications result{std::vector<std::vector<Score>>(texts.size()), tokenized.truncated};
  for_each_batch(items_of(tokenized), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const Outputs outputs = compiled->run(feeds_of(graph, batch), options.batch.cancellation);
    const std::span<const float> logits = outputs.at("logits").as<float>();
    for (std::size_t i = 0; i < batch.size(); ++i) {
      const std::vector<double> scores = scores_of(logits.subspan(i * labels, labels), function);
      for (const std::size_t id : best(scores, options.top_k.value_or(labels))) {
        result.scores[batch[i].number].push_back(
            {label_of(model.info(), id), static_cast<std::int64_t>(id), scores[id]});
      }
    }
  });
  return result;
}

Ranking rerank(const LoadedModel& model, std::string_view query, std::span<const std::string> documents,
               const ClassifyOptions& options) {
  std::vector<TextView> pairs;
  for (const std::string& document : documents) pairs.push_back({query, document});
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(Task::text_classification);
  const std::int64_t labels =
      compiled->graph().node(compiled->graph().find_output("logits")->value).type.shape.last().number();
  if (labels != 1) {
    throw Error(ErrorKind::unsupported, "the model has " + std::to_string(labels) + " classes, a score has one",
                model.info().folder.string(), "use classify for models of several classes");
  }
  const Classifications scored = classify(model, pairs, options);
  Ranking ranking{{}, scored.truncated};
  for (std::size_t i = 0; i < documents.size(); ++i) ranking.documents.push_back({i, scored.scores[i].front().score});
  std::ranges::stable_sort(ranking.documents, [](const Ranked& a, const Ranked& b) { return a.score > b.score; });
  if (options.top_k) ranking.documents.resize(std::min(*options.top_k, ranking.documents.size()));
  return ranking;
}

}  // namespace accelerate::runtime
