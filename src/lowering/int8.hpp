// Weights in 8 bits as ONNX holds them from opset 21 on: steps (i8) and a scale for each group of them, multiplied
// again by DequantizeLinear. ONNX Runtime joins that with the product behind it and then multiplies in 8 bits, inputs
// in the same groups; its own option "session.disable_quant_qdq" makes f32 matrices of the weights instead.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/balance.hpp"
#include "lowering/onnx_model.hpp"

namespace accelerate::lowering {

// The oldest opset whose DequantizeLinear has groups.
constexpr int kInt8Opset = 21;
// Numbers that share a scale, neighbours along a row of the weight. ONNX Runtime takes one symmetric scale for as many
// inputs too: on the real MiniLM groups of 64 or 128 break the bound of int8, and 32 keep it with no layer in f32.
constexpr std::int64_t kInt8Group = 32;

// Paths of the products whose weights can be 8 bits, in the order of the graph.
std::vector<std::string> int8_products(const Graph& graph);

// A matrix [rows, width] in 8 bits: steps i8 of its dims, and scales f32, one a group of a row: [rows, groups]; both
// with their dimensions exchanged where `transposed`. Its columns are multiplied with `factors` before, unless there
// are none.
struct Int8Matrix {
  Tensor steps, scales;
};
Int8Matrix quantize(const Tensor& matrix, std::span<const float> factors, bool transposed);

// The same as initializers of a model, computed when they are asked for. `weights` outlives them.
struct Int8Weight {
  OnnxInitializer steps, scales;
};
// Of a table to look up: [rows, width].
Int8Weight int8_table(const Weight& weight);
// Of a product: [in, out].
Int8Weight int8_columns(const Weight& weight, const Weights& weights, const InputNorm& norm);
// The same for ONNX Runtime's own product of blocks: steps u8 [out, groups, kInt8Group], kInt8Zero more than they are
// and that behind the width, scales [out, groups].
constexpr int kInt8Zero = 128;
Int8Weight int8_blocks(const Weight& weight, const Weights& weights, const InputNorm& norm);
// What inputs of that product are multiplied with: f32 [in].
OnnxInitializer input_factors(const Weight& weight, const Weights& weights, const InputNorm& norm);

}  // namespace accelerate::lowering
