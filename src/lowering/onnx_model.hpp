// A model in ONNX's terms, in memory, and its bytes as a ModelProto. Weights are described, not copied: whoever hands
// the model over decides how they travel.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "accelerate/tensor.hpp"
#include "graph/dim.hpp"
#include "graph/weights.hpp"

namespace accelerate::lowering {

// ONNX Runtime's own operators.
constexpr const char* kContribDomain = "com.microsoft";

struct OnnxAttribute {
  std::string name;
  std::variant<std::int64_t, float, std::string, std::vector<std::int64_t>> value;
};

struct OnnxNode {
  std::string type;                          // "MatMul"
  std::string domain;                        // empty: ONNX's standard operators
  std::vector<std::string> inputs, outputs;  // an empty name is an operand left out
  std::vector<OnnxAttribute> attributes;
  std::string name;  // the path of the module it belongs to, and its type
};

// What the model is fed.
struct OnnxInput {
  enum class Source {
    feed,   // the graph's input `of`; padded with zeros, unless ragged values are rows
    mask,   // of the ragged symbol `of`: 1 at rows that are there and seen, else 0; i64 [batch, of]. Of files with a
            // past see OnnxOptions::self_contained
    table,  // the graph's table `of`, computed for the sizes of the run
    state,  // the graph's state `of`, padded, by heads; the output rows_added_to(of) goes behind it; of
            // files see OnnxOptions::self_contained
    // How rows of the ragged symbol `of` become padded and back, where ragged values are rows:
    row_of_place,  // of each place in the padded tensor its row, 0 at padding; i64 [batch, of]
    place_of_row,  // of each row its place among batch * of; i64 [of.rows]
  };
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  // dense: a ragged [batch, tokens~, n] is [batch, tokens, n], or [tokens.rows, n];
                // a state is [batch, kv_heads, past, head_dim]
  Source source = Source::feed;
  std::string of;
};

struct OnnxOutput {
  std::string name;
  DType dtype = DType::f32;
  Shape shape;  // dense
};

// A constant of the model: a weight of the checkpoint, what is computed from weights, or values made here.
struct OnnxInitializer {
  std::string name;
  DType dtype = DType::f32;
  Dims dims;
  const Weight* weight = nullptr;  // as long as the Weights live; null: `values` or `make`
  bool transposed = false;         // dims are the weight's reversed
  Tensor values;
  std::function<Tensor()> make = {};  // computes the values from weights instead

  std::int64_t bytes() const { return element_count(dims) * static_cast<std::int64_t>(size_of(dtype)); }
  bool is_of_weights() const { return weight != nullptr || make; }
  // Whether the checkpoint's own bytes are these values: of this type, in this order, aligned for it.
  bool in_place() const;
  // The values: a view of the mapped file where they are in place, else a converted copy.
  Tensor tensor() const;
};

struct OnnxModel {
  std::string name;
  int opset = 0;
  bool contrib = false;  // uses kContribDomain
  std::vector<OnnxNode> nodes;
  std::vector<OnnxInitializer> initializers;
  std::vector<OnnxInput> inputs;
  std::vector<OnnxOutput> outputs;
};

// Where an initializer's bytes lie outside the model.
struct ExternalPlace {
  std::string location;  // the file, relative to the model's folder
  std::int64_t offset = 0;
};
using Placement = std::function<std::optional<ExternalPlace>(const OnnxInitializer&)>;

// The ModelProto (onnx.proto3 of the ONNX project). What `place` gives no place is written into it; without `place`
// everything is.
std::string to_bytes(const OnnxModel& model, const Placement& place = {});

}  // namespace accelerate::lowering
