// One thing a plan does: a kernel with its weights, reading and writing values of the graph.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "backends/cpu/cache.hpp"
#include "backends/cpu/kernels.hpp"
#include "backends/cpu/prepared.hpp"
#include "graph/graph.hpp"

namespace accelerate::cpu {

// How kernels see a value: rows of so many numbers. The last dimension is the row where its size is fixed; a value
// like [batch, tokens~] or [batch] is rows of one.
inline std::int64_t row_width(const Shape& shape) {
  return shape.rank() > 0 && shape.last().is_number() ? shape.last().number() : 1;
}
inline Dim row_count(const Shape& shape) {
  return shape.rank() > 0 && shape.last().is_number() ? shape.rows() : shape.elements();
}

// Where a value lies during one run.
struct Location {
  float* data = nullptr;
  const std::int64_t* index = nullptr;  // instead of data, for indices
  std::int64_t rows = 0, width = 0, stride = 0;
  operator Rows() const { return {data, stride}; }
  operator ConstRows() const { return {data, stride}; }
};

// One run of a plan, as its steps see it.
struct Run {
  const Kernels& kernels;
  ThreadPool& pool;
  const Extents& extents;
  const std::vector<Location>& values;
  // Of a graph that keeps state, with room for this run's tokens, and the slot of each item.
  const Cache* cache;
  std::span<const Slot> slots;
  std::byte* workspace;  // as many bytes as the step asked for, aligned to 64
  // Of a stretch that threads take by rows: those of this one. Negative: all.
  std::int64_t first_row = 0, rows = -1;

  Location at(Value value) const {
    Location location = values[static_cast<std::size_t>(value.id)];
    if (rows < 0) return location;
    if (location.data != nullptr) location.data += first_row * location.stride;
    if (location.index != nullptr) location.index += first_row * location.width;
    location.rows = rows;
    return location;
  }
};

class Step {
 public:
  virtual ~Step() = default;
  // Packed matrices are shared by steps (layers that are the same, tied heads): each counts once, by its key in
  // `counted`.
  virtual WeightBytes weight_bytes(std::set<std::string>& /*counted*/) const { return {}; }
  // Reads and packs weights. Called once, before the first run.
  virtual void prepare(const Weights&, ThreadPool&) {}
  // Those that are multiplied, once they are packed.
  virtual std::span<const std::byte> packed_weights() const { return {}; }
  // Scratch memory of one run.
  virtual std::size_t workspace_bytes(const Extents&, int /*threads*/) const { return 0; }
  // The same of so many rows of a step that is by_rows, with one thread.
  virtual std::size_t rows_workspace_bytes(std::int64_t /*rows*/) const { return 0; }
  virtual void run(const Run& run) const = 0;

  std::string path;                // of the module in the model, for profiles
  std::string operation;           // name of the first in `nodes`
  std::vector<std::size_t> nodes;  // of the graph that it computes, for profiles; a norm in front of a product last
  std::vector<Value> inputs;       // values read, weights left out
  std::vector<Value> outputs;      // values written; several lie side by side in one buffer, unless
  bool apart = false;              // each may lie in one of its own and the graph gives some of them
  bool by_rows = false;            // row r of what it writes needs row r of what it reads, and no other
  std::int64_t read_bytes = 0;     // of weights that are multiplied, in each run
  Value in_place;                  // an input whose memory the output may take over when nobody needs it afterwards
};

// The steps of a graph in order, fused where the kernels allow. Error{unsupported} naming an operation without kernel.
std::vector<std::unique_ptr<Step>> make_steps(const Graph& graph, const Weights& weights, Level level,
                                              const Precisions& precisions);

// Paths of the products that Precisions change, the first of those that are computed together.
std::vector<std::string> lowered_paths(const Graph& graph);

// Names of the operations that have kernels.
bool has_kernel(std::string_view operation);

}  // namespace accelerate::cpu
