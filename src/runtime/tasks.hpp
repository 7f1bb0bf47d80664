// What each task makes of texts; Model's functions of the same names (include/accelerate/accelerate.hpp) come here.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "runtime/batches.hpp"
#include "runtime/loaded_model.hpp"

namespace accelerate::runtime {

Embeddings embed(const LoadedModel& model, std::span<const std::string> texts, const EmbedOptions& options);
Classifications classify(const LoadedModel& model, std::span<const TextView> texts, const ClassifyOptions& options);
Ranking rerank(const LoadedModel& model, std::string_view query, std::span<const std::string> documents,
               const ClassifyOptions& options);
FilledMasks fill_mask(const LoadedModel& model, std::span<const std::string> texts, const FillMaskOptions& options);
TokenClassifications classify_tokens(const LoadedModel& model, std::span<const std::string> texts,
                                     const TokenOptions& options);
std::vector<Answer> answer(const LoadedModel& model, std::string_view question, std::string_view context,
                           const AnswerOptions& options);
NamedTensors run(const LoadedModel& model, const NamedTensors& inputs, const RunOptions& options);
ModelInputs encode(const LoadedModel& model, std::span<const TextView> texts, const BatchOptions& options);

}  // namespace accelerate::runtime
