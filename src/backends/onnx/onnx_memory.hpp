// What ONNX Runtime will allocate for a graph, as far as it can be told from outside.
#pragma once

#include "backends/backend.hpp"

namespace accelerate::onnx {

// Weights: the copies that it packs for its products, and those that had to be converted to f32. Activations: the
// padded values that live at the same time, with what its attention unfolds. Its allocator may round that up, and keeps
// what it has once had: an estimate where the cpu backend predicts.
MemoryEstimate estimate_memory(const Graph& graph, const Weights& weights, const Extents& extents);

}  // namespace accelerate::onnx
