// What a runtime will allocate for a lowered graph, as far as it can be told from outside.
#pragma once

#include <set>
#include <string>

#include "backends/backend.hpp"
#include "lowering/onnx_model.hpp"

namespace accelerate {

// Weights: the copies that it packs for its products, and those that had to be converted to f32. Activations: the
// padded values that live at the same time, with what its attention unfolds. Its allocator may round that up, and keeps
// what it has once had: an estimate where the cpu backend predicts. Products by the paths in `int8` are packed as
// bytes.
MemoryEstimate estimate_memory(const Graph& graph, const lowering::OnnxModel& model, const Extents& extents,
                               const std::set<std::string>& int8 = {});

}  // namespace accelerate
