// Operations and bytes of a run, from the graph alone, and how long the machine needs for them at least.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "backends/backend.hpp"
#include "graph/weights.hpp"
#include "hardware/limits.hpp"

namespace accelerate::bench {

struct Work {
  std::int64_t flops = 0;             // 2 a multiply-add
  std::int64_t weight_bytes = 0;      // weights read, in the precision they are multiplied in; each once
  std::int64_t cache_bytes = 0;       // keys and values of past and source that are read
  std::int64_t activation_bytes = 0;  // values read and written, 4 bytes a number

  Work& operator+=(const Work& other);
};

// Of some operations of a graph in one run of these sizes. Weights of products count at the bytes of `options`'
// precision (of its overrides where there are), all others at 4; of an embedding only the rows that are looked up, of
// experts as many as the rows can choose. A weight that several of the nodes share counts once. `kept`: where the
// backend keeps weights of f32 that are bf16 in the file (cpu), those weights, of which such ones count at 2; else
// null.
Work work_of(const Graph& graph, std::span<const std::size_t> nodes, const Extents& extents,
             const CompileOptions& options, const Weights* kept = nullptr);
// Of all its operations. Values between operations are left out: a plan may keep them in its caches.
Work work_of(const Graph& graph, const Extents& extents, const CompileOptions& options, const Weights* kept = nullptr);

// How fast this machine was when it did nothing else.
struct Limits {
  double operations_per_second = 0;
  std::map<std::int64_t, double> read_bytes_per_second;  // by the working set that was read

  // The speed for the largest measured working set that is no larger than this one, or for the smallest.
  double read_speed(std::int64_t working_set) const;
  // Each the faster of both.
  static Limits best_of(const Limits& a, const Limits& b);
};

// Measured now: operations in `precision`, and reading of these working sets (rounded down by an eighth at most).
Limits measure_limits(hardware::LimitMeter& meter, Precision precision, std::span<const std::int64_t> working_sets);

// What limits some work, and the seconds it takes at least.
struct Bound {
  double seconds = 0;
  bool by_operations = false;  // else by bytes
};
// Operations over their speed, or bytes over theirs, whichever takes longer. Weights and the past are read at the
// speed of `weight_set`, the bytes that they take in the whole model; activations at that of their own.
Bound bound_of(const Work& work, const Limits& limits, std::int64_t weight_set);

}  // namespace accelerate::bench
