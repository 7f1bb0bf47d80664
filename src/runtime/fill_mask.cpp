#include "runtime/scores.hpp"
#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

std::int64_t mask_id(const TextProcessor& processor) {
  const std::optional<std::int32_t> id = processor.tokenizer().special_tokens().mask;
  if (!id) throw Error(ErrorKind::unsupported, "the tokenizer has no mask token");
  return *id;
}

std::vector<Selected> masks_of(std::span<const Item> batch, std::int64_t mask) {
  std::vector<Selected> places;
  for (std::size_t i = 0; i < batch.size(); ++i) {
    for (std::size_t row = 0; row < batch[i].ids.size(); ++row) {
      if (batch[i].ids[row] == mask) {
        places.push_back({static_cast<std::int64_t>(i), static_cast<std::int64_t>(row)});
      }
    }
  }
  return places;
}

Mask filled(const text::Tokenizer& tokenizer, std::span<const float> logits, std::int64_t position, std::size_t top_k) {
  const std::vector<double> scores = scores_of(logits, ScoreFunction::softmax);
  Mask mask{position, {}};
  for (const std::size_t id : best(scores, top_k)) {
    // Vocabularies of models are often larger than those of their tokenizers.
    mask.top.push_back(
        {tokenizer.id_to_token(static_cast<std::int32_t>(id)).value_or(""), static_cast<std::int64_t>(id), scores[id]});
  }
  return mask;
}

}  // namespace

FilledMasks fill_mask(const LoadedModel& model, std::span<const std::string> texts, const FillMaskOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(Task::fill_mask);
  const TextProcessor& processor = model.processor();
  const std::int64_t mask = mask_id(processor);
  const TokenizedTexts tokenized = processor.ids_of(views(texts), options.batch);
  std::vector<Item> items = items_of(tokenized);
  for (const Item& item : items) {
    if (masks_of({&item, 1}, mask).empty()) {
      throw Error(ErrorKind::invalid_input, "has no mask token " + processor.mask_token(),
                  "texts[" + std::to_string(item.number) + "]");
    }
  }
  FilledMasks result{std::vector<std::vector<Mask>>(texts.size()), tokenized.truncated};
  for_each_batch(std::move(items), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const std::vector<Selected> places = masks_of(batch, mask);
    const Outputs outputs = compiled->run(feeds_of(compiled->graph(), batch, places), options.batch.cancellation);
    const Tensor& logits = outputs.at("selected_logits");
    const auto width = static_cast<std::size_t>(logits.dim(1));
    for (std::size_t i = 0; i < places.size(); ++i) {
      const std::size_t number = batch[static_cast<std::size_t>(places[i].item)].number;
      result.masks[number].push_back(
          filled(processor.tokenizer(), logits.as<float>().subspan(i * width, width), places[i].row, options.top_k));
    }
  });
  return result;
}

}  // namespace accelerate::runtime
