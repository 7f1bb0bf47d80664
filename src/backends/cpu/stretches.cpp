#include "backends/cpu/stretches.hpp"

#include <algorithm>
#include <optional>

#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

// Of one thread. With more, waiting costs little beside the work, and threads that are not equally fast share
// operations more evenly.
constexpr std::int64_t kMostRows = 64;
// Of weights that come once for so many rows of work, from a cache that the threads have in common. Measured: MiniLM
// gains nothing from 430 KiB on, and loses a tenth at 860.
constexpr std::int64_t kBytesPerRow = 384 << 10;

// Of all that a step reads and writes, where they are the same.
std::optional<Dim> common_rows(const Graph& graph, const Step& step) {
  if (!step.by_rows) return std::nullopt;
  const Dim rows = row_count(graph.node(step.outputs[0]).type.shape);
  const auto has_them = [&](Value value) { return row_count(graph.node(value).type.shape) == rows; };
  const bool all = std::ranges::all_of(step.inputs, has_them) && std::ranges::all_of(step.outputs, has_them);
  return all ? std::optional(rows) : std::nullopt;
}

}  // namespace

std::vector<Stretch> stretches_of(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<Stretch> stretches;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const std::optional<Dim> rows = common_rows(graph, *steps[i]);
    if (!rows) continue;
    const bool goes_on = !stretches.empty() && stretches.back().end == i && stretches.back().rows == *rows;
    if (!goes_on) stretches.push_back({i, i, *rows, 0});
    stretches.back().end = i + 1;
    stretches.back().read_bytes += steps[i]->read_bytes;
  }
  std::erase_if(stretches, [](const Stretch& stretch) { return stretch.read_bytes == 0; });
  return stretches;
}

std::vector<Stretch> shared_by_rows(const std::vector<Stretch>& stretches, const Extents& extents, int threads) {
  std::vector<Stretch> shared;
  if (threads < 2) return shared;
  for (const Stretch& stretch : stretches) {
    const std::int64_t rows = stretch.rows.evaluate(extents) / threads;
    if (rows >= detail::kLeastShared && rows <= kMostRows && stretch.read_bytes <= rows * kBytesPerRow)
      shared.push_back(stretch);
  }
  return shared;
}

}  // namespace accelerate::cpu
