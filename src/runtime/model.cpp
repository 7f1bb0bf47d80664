#include <array>

#include "core/memory.hpp"
#include "runtime/generate.hpp"
#include "runtime/scores.hpp"
#include "runtime/tasks.hpp"

namespace accelerate {

class Model::Impl : public runtime::LoadedModel {
 public:
  using LoadedModel::LoadedModel;
};

namespace {

constexpr std::array<std::string_view, 5> kAggregations{"none", "simple", "first", "average", "max"};

}  // namespace

std::string_view name_of(Aggregation aggregation) { return kAggregations.at(static_cast<std::size_t>(aggregation)); }

Aggregation aggregation_named(std::string_view name) {
  std::string known;
  for (std::size_t i = 0; i < kAggregations.size(); ++i) {
    if (kAggregations[i] == name) return static_cast<Aggregation>(i);
    known += (i == 0 ? "" : ", ") + std::string(kAggregations[i]);
  }
  throw Error(ErrorKind::invalid_input, "no aggregation \"" + std::string(name) + "\"; there are " + known);
}

Model::Model(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

Model Model::open(const std::filesystem::path& folder, const OpenOptions& options) {
  return Model(std::make_shared<const Impl>(folder, options));
}

const ModelInfo& Model::info() const { return impl_->info(); }

Model Model::with_precision(std::string_view precision,
                            const std::map<std::string, std::string>& layer_precisions) const {
  return Model(std::make_shared<const Impl>(*impl_, runtime::precision_as_asked(precision, layer_precisions)));
}

std::vector<std::string> Model::layers(std::string_view task) const { return impl_->layers(impl_->task_of(task)); }

void Model::prepare(std::string_view task) const {
  impl_->processor();
  impl_->compiled(impl_->task_of(task))->prepare();
}

Embeddings Model::embed(std::span<const std::string> texts, const EmbedOptions& options) const {
  Embeddings embeddings = runtime::embed(*impl_, texts, options);
  runtime::check_finite(embeddings.vectors.as<float>(), info().folder.string());
  return embeddings;
}

Classifications Model::classify(std::span<const std::string> texts, const ClassifyOptions& options) const {
  return runtime::classify(*impl_, runtime::views(texts), options);
}

Classifications Model::classify(std::span<const TextPair> pairs, const ClassifyOptions& options) const {
  return runtime::classify(*impl_, runtime::views(pairs), options);
}

Ranking Model::rerank(std::string_view query, std::span<const std::string> documents,
                      const ClassifyOptions& options) const {
  return runtime::rerank(*impl_, query, documents, options);
}

FilledMasks Model::fill_mask(std::span<const std::string> texts, const FillMaskOptions& options) const {
  return runtime::fill_mask(*impl_, texts, options);
}

TokenClassifications Model::classify_tokens(std::span<const std::string> texts, const TokenOptions& options) const {
  return runtime::classify_tokens(*impl_, texts, options);
}

std::vector<Answer> Model::answer(std::string_view question, std::string_view context,
                                  const AnswerOptions& options) const {
  return runtime::answer(*impl_, question, context, options);
}

Generations Model::generate(std::span<const Prompt> prompts, const GenerateOptions& options) const {
  const Model* draft = options.assistant_model;
  return runtime::generate(*impl_, prompts, options, draft == nullptr ? nullptr : draft->impl_.get());
}

NamedTensors Model::run(const NamedTensors& inputs, const RunOptions& options) const {
  return runtime::run(*impl_, inputs, options);
}

ModelInputs Model::encode(std::span<const std::string> texts, const BatchOptions& options) const {
  return runtime::encode(*impl_, runtime::views(texts), options);
}

ModelInputs Model::encode(std::span<const TextPair> pairs, const BatchOptions& options) const {
  return runtime::encode(*impl_, runtime::views(pairs), options);
}

std::string Model::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  return impl_->processor().tokenizer().decode(ids, skip_special_tokens);
}

std::string Model::mask_token() const { return impl_->processor().mask_token(); }

ProcessMemory memory_use() {
  const MemoryUse allocated = host_memory_use();
  const MemoryUse resident = resident_memory();
  return {allocated.current, allocated.peak, resident.current, resident.peak};
}

void reset_peak_memory() { reset_peak_host_memory(); }

}  // namespace accelerate
