// How much memory a run will take, known before anything is loaded: what inspect() shows and bench compares with.
#pragma once

#include "accelerate/accelerate.hpp"
#include "backends/backend.hpp"

namespace accelerate::runtime {

// The sizes of one run of `batch` texts of `tokens` tokens each, one mask a text where the graph asks for places.
Extents extents_of(std::int64_t batch, std::int64_t tokens);

// Of one run of these sizes, weights, feeds and results included; `batch` and `tokens` (the longest) from the extents.
MemoryPrediction predict_memory(const Graph& graph, const Weights& weights, const Backend& backend,
                                const CompileOptions& options, const Extents& extents);

}  // namespace accelerate::runtime
