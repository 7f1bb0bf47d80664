// Consecutive steps of a plan in which no row looks at another: each thread takes its share of the rows through all of
// them, so that what it writes stays in its own cache and none waits for another between two operations.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "backends/cpu/step.hpp"

namespace accelerate::cpu {

struct Stretch {
  std::size_t begin = 0, end = 0;  // steps, the end not included
  Dim rows;                        // of everything they read and write
  std::int64_t read_bytes = 0;     // of weights, which then every thread reads whole
};

// Those with a product, in order; others would gain nothing.
std::vector<Stretch> stretches_of(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps);

// Those that are shared out by rows; in the others threads share each operation. A row's numbers are the same.
std::vector<Stretch> shared_by_rows(const std::vector<Stretch>& stretches, const Extents& extents, int threads);

}  // namespace accelerate::cpu
