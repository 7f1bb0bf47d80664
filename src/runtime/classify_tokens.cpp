#include <algorithm>

#include "runtime/entities.hpp"
#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

struct Encodings {
  std::vector<text::Encoding> all;
  std::vector<Item> items;
  std::vector<std::size_t> truncated;
};

Encodings encodings_of(const TextProcessor& processor, std::span<const std::string> texts,
                       const BatchOptions& options) {
  Encodings encodings;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    options.cancellation.check();
    text::Encoding encoding = processor.encoding_of(i, {texts[i]}, processor.options());
    encoding.overflowing.clear();
    processor.check_length(i, {texts[i]}, encoding.truncated, options.strict);
    if (encoding.truncated) encodings.truncated.push_back(i);
    encodings.items.push_back(item_of(i, encoding));
    encodings.all.push_back(std::move(encoding));
  }
  return encodings;
}

}  // namespace

TokenClassifications classify_tokens(const LoadedModel& model, std::span<const std::string> texts,
                                     const TokenOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(Task::token_classification);
  const Graph& graph = compiled->graph();
  const auto width =
      static_cast<std::size_t>(graph.node(graph.find_output("logits")->value).type.shape.last().number());
  std::vector<std::string> labels = model.info().labels;
  for (std::size_t id = labels.size(); id < width; ++id) labels.push_back("LABEL_" + std::to_string(id));
  const TextProcessor& processor = model.processor();
  Encodings encodings = encodings_of(processor, texts, options.batch);
  TokenClassifications result{std::vector<std::vector<Entity>>(texts.size()), std::move(encodings.truncated)};
  for_each_batch(std::move(encodings.items), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const Outputs outputs = compiled->run(feeds_of(graph, batch), options.batch.cancellation);
    const std::span<const float> logits = outputs.at("logits").as<float>();
    std::size_t at = 0;
    for (const Item& item : batch) {
      const auto count = item.ids.size() * width;
      const CodePoints text(texts[item.number]);
      const std::vector<LabelledToken> tokens =
          labelled_tokens(processor, encodings.all[item.number], text, logits.subspan(at, count), width);
      at += count;
      std::vector<Entity> entities = entities_of(processor, tokens, text, labels, options.aggregation);
      std::erase_if(entities, [&](const Entity& entity) {
        return std::ranges::find(options.ignore_labels, entity.label) != options.ignore_labels.end();
      });
      result.entities[item.number] = std::move(entities);
    }
  });
  return result;
}

}  // namespace accelerate::runtime
