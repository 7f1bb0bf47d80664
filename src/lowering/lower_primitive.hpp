// One primitive (graph/primitives.hpp) as one or a few standard ONNX nodes.
#pragma once

#include <span>

#include "graph/primitives.hpp"
#include "lowering/onnx_builder.hpp"

namespace accelerate::lowering {

// `shape` is the primitive's result. Numbers stay i64 as long as only integers meet, so that rows are counted exactly.
Operand lower_primitive(OnnxBuilder& builder, const Primitive& op, std::span<const Operand> operands,
                        const Shape& shape);

}  // namespace accelerate::lowering
