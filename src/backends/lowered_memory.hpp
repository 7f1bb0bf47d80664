// What a runtime will allocate for a lowered graph, as far as it can be told from outside.
#pragma once

#include <cstdint>

#include "backends/backend.hpp"
#include "lowering/onnx.hpp"

namespace accelerate {

// What was measured of a runtime on its processor.
struct RuntimeMemory {
  std::int64_t library = 0;         // bytes of its library that are touched, and what it allocates for any model
  std::int64_t node = 0;            // bytes that it notes down of each node of a model
  std::int64_t linear_copies = 0;   // tensors as large as a product's result that it holds beside it
  std::int64_t attention_rows = 0;  // the same of attention: queries, keys and values in another order
  std::int64_t score_copies = 0;    // [heads, tokens, tokens] that it holds at once; 0: never whole
};

// Weights: the copies that it packs for its products, and those that had to be converted to f32. Activations: the
// values that live at the same time, with what its attention unfolds. Cache: the rows of states in memory, and twice
// more where the model gives what states then hold (OnnxOptions::present): the past of a run is still there.
MemoryEstimate estimate_memory(const Graph& graph, const Weights& weights, const lowering::OnnxOptions& lowered,
                               const Extents& extents, const RuntimeMemory& runtime);

}  // namespace accelerate
