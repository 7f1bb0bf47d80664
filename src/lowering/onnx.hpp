// Graphs lowered to ONNX: one model in memory that ONNX Runtime and OpenVINO run and that files are written from.
//
// An operation that ONNX has is written as one; any other by its decomposition (graph/primitives.hpp), so that a new
// operation works here the day it is defined.
#pragma once

#include <set>
#include <string>

#include "graph/graph.hpp"
#include "lowering/onnx_model.hpp"

namespace accelerate::lowering {

constexpr int kOldestOpset = 17, kNewestOpset = 23;

// What a ragged [batch, tokens~, n] is in the model.
enum class Ragged {
  padded,  // [batch, tokens, n] with a mask: what other programs feed
  rows,    // [tokens.rows, n]: only attention and pooling see padding, nothing else computes it
};

// ONNX Runtime's own operators, each in the place of several standard ones; other runtimes know none of them. What an
// operator does not take stays in standard ones (docs/onnx.md).
struct ContribOperators {
  bool activation = false;   // Gelu, BiasGelu, FastGelu
  bool rotary = false;       // RotaryEmbedding
  bool rms_norm = false;     // SimplifiedLayerNormalization, which it has among the standard ones: checkers refuse it
  bool skip_norm = false;    // SkipLayerNormalization, SkipSimplifiedLayerNormalization: a sum and the norm of it
  bool attention = false;    // MultiHeadAttention; it and the next bring RotaryEmbedding with them
  bool group_query = false;  // GroupQueryAttention, of grouped heads or with a softcap, behind a past. It refuses
                             // several tokens of several texts there
  bool product = false;      // MatMulNBits, of weights in 8 bits

  static constexpr ContribOperators all() { return {true, true, true, true, true, true, true}; }
};

struct OnnxOptions {
  int opset = kOldestOpset;
  Ragged ragged = Ragged::padded;
  ContribOperators contrib = {};
  // Weights of products are initializers [in, out], as files usually have them, which costs a transposed copy. Without
  // it they are as the checkpoint has them, and Gemm or a Transpose turns them.
  bool transpose_weights = false;
  // The model needs no more than a caller of Transformers gives: positions are computed in it, and tables are constants
  // for this many tokens at most. Where it keeps state its mask is an input whose `of` is empty, [batch, past +
  // tokens], and each state is answered by all that it then holds, present.N.key and present.N.value, never by
  // rows_added_to() it. 0: positions and tables are inputs.
  std::int64_t self_contained = 0;
  // For each state an output behind the others: the whole past with this run's rows behind it, shaped as the state's
  // input and of its type, so that a runtime can feed it to the next run from where it computed it.
  bool present = false;
  // What reals are between operations and weights are stored in: f32 or f16. States are of this type too;
  // other outputs are always f32.
  DType real = DType::f32;
  // Paths of products whose weights are 8 bits (int8.hpp), and whether tables that are looked up are too.
  std::set<std::string> int8 = {};
  bool int8_tables = false;
};

// Error{unsupported} for an opset outside the range above, or one before 21 with weights of 8 bits. Weights are looked
// up, not read.
OnnxModel to_onnx(const Graph& graph, const Weights& weights, const OnnxOptions& options = {});

}  // namespace accelerate::lowering
