// Where the values of a plan lie: which share memory, and one block for all of them, laid out for given sizes.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "backends/cpu/stretches.hpp"

namespace accelerate::cpu {

// Which buffer a value lies in, decided once for all sizes.
class Placement {
 public:
  Placement(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps);

  struct Place {
    int buffer = -1;          // negative: in none (inputs, weights, tables)
    std::int64_t column = 0;  // where the value's columns begin in the buffer's
  };
  struct Buffer {
    Dim rows;
    std::int64_t columns = 0;
    std::size_t first = 0, last = 0;  // steps between which it is needed, both included
    int output = -1;                  // the graph's output whose tensor it is; negative: it lies in the arena
    std::int64_t stride() const { return output < 0 ? row_stride(columns) : columns; }
  };

  const Place& place(std::size_t value) const { return places_[value]; }
  const std::vector<Buffer>& buffers() const { return buffers_; }

 private:
  void add_buffer(const Graph& graph, std::span<const Value> values, std::size_t first, std::size_t last);
  void give_outputs(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps);
  bool takes_over(const Graph& graph, const Step& step, std::size_t index) const;

  std::vector<Place> places_;
  std::vector<Buffer> buffers_;
};

// Offsets of the buffers in one block of `bytes`, for one set of sizes, but for those that are outputs. Buffers that
// live at the same time never overlap; the largest are placed first, each at the lowest offset that is free for its
// whole life.
struct ArenaLayout {
  std::vector<std::size_t> offsets;
  std::size_t bytes = 0;
  ArenaLayout() = default;
  // Threads are at different steps of a stretch that they share by rows: what lives in one of these lives in all of it.
  ArenaLayout(const Placement& placement, const Extents& extents, const std::vector<Stretch>& by_rows = {});
};

}  // namespace accelerate::cpu
