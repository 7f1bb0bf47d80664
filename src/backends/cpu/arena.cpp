#include "backends/cpu/arena.hpp"

#include <algorithm>
#include <numeric>

namespace accelerate::cpu {
namespace {

constexpr std::size_t kAlignment = 64;

// The last step that reads each value; one past the last step for outputs of the graph.
std::vector<std::size_t> last_readers(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<std::size_t> last(graph.nodes().size(), 0);
  for (std::size_t i = 0; i < steps.size(); ++i) {
    for (const Value input : steps[i]->inputs) last[static_cast<std::size_t>(input.id)] = i;
    for (const Value output : steps[i]->outputs) last[static_cast<std::size_t>(output.id)] = i;
  }
  for (const Graph::Output& output : graph.outputs()) last[static_cast<std::size_t>(output.value.id)] = steps.size();
  return last;
}

void widen(Placement::Buffer& buffer, const std::vector<Stretch>& by_rows) {
  for (const Stretch& stretch : by_rows) {
    if (buffer.first >= stretch.begin && buffer.first < stretch.end) buffer.first = stretch.begin;
    if (buffer.last >= stretch.begin && buffer.last < stretch.end) buffer.last = stretch.end - 1;
  }
}

}  // namespace

// The output may take over the memory of an input that it has the same shape as, that lies alone in its buffer and
// that nobody reads later.
bool Placement::takes_over(const Graph& graph, const Step& step, std::size_t index) const {
  if (!step.in_place || step.outputs.size() != 1) return false;
  const Place& place = places_[static_cast<std::size_t>(step.in_place.id)];
  if (place.buffer < 0) return false;
  const Buffer& buffer = buffers_[static_cast<std::size_t>(place.buffer)];
  const Shape& shape = graph.node(step.outputs[0]).type.shape;
  return buffer.last == index && place.column == 0 && buffer.columns == row_width(shape) &&
         buffer.rows == row_count(shape);
}

Placement::Placement(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps)
    : places_(graph.nodes().size()) {
  const std::vector<std::size_t> last = last_readers(graph, steps);
  const auto is_given = [&](Value value) { return last[static_cast<std::size_t>(value.id)] == steps.size(); };
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Step& step = *steps[i];
    std::size_t end = i;
    for (const Value output : step.outputs) end = std::max(end, last[static_cast<std::size_t>(output.id)]);
    if (takes_over(graph, step, i)) {
      const int buffer = places_[static_cast<std::size_t>(step.in_place.id)].buffer;
      places_[static_cast<std::size_t>(step.outputs[0].id)] = {buffer, 0};
      buffers_[static_cast<std::size_t>(buffer)].last = end;
      continue;
    }
    if (!step.apart || std::ranges::none_of(step.outputs, is_given)) {
      add_buffer(graph, step.outputs, i, end);
      continue;
    }
    for (const Value& output : step.outputs) {
      add_buffer(graph, {&output, 1}, i, std::max(i, last[static_cast<std::size_t>(output.id)]));
    }
  }
  give_outputs(graph, steps);
}

void Placement::add_buffer(const Graph& graph, std::span<const Value> values, std::size_t first, std::size_t last) {
  Buffer buffer{.rows = row_count(graph.node(values[0]).type.shape), .columns = 0, .first = first, .last = last};
  for (const Value value : values) {
    places_[static_cast<std::size_t>(value.id)] = {static_cast<int>(buffers_.size()), buffer.columns};
    buffer.columns += row_width(graph.node(value).type.shape);
  }
  buffers_.push_back(std::move(buffer));
}

// An output that is alone in its buffer is computed where it is asked for, unless steps read it whose rows should not
// lie as a tensor has them.
void Placement::give_outputs(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps) {
  const auto is_read = [&](Value value) {
    return std::ranges::any_of(steps, [&](const auto& step) { return std::ranges::count(step->inputs, value) > 0; });
  };
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value value = graph.outputs()[i].value;
    const Place& place = places_[static_cast<std::size_t>(value.id)];
    if (place.buffer < 0) continue;
    Buffer& buffer = buffers_[static_cast<std::size_t>(place.buffer)];
    if (buffer.output >= 0 || buffer.columns != row_width(graph.node(value).type.shape)) continue;
    if (buffer.stride() == buffer.columns || !is_read(value)) buffer.output = static_cast<int>(i);
  }
}

ArenaLayout::ArenaLayout(const Placement& placement, const Extents& extents, const std::vector<Stretch>& by_rows) {
  std::vector<Placement::Buffer> buffers = placement.buffers();
  for (Placement::Buffer& buffer : buffers) widen(buffer, by_rows);
  std::vector<std::size_t> sizes;
  for (const Placement::Buffer& buffer : buffers) {
    const Dim numbers = buffer.output < 0 ? buffer.rows * Dim(buffer.stride()) : Dim(0);
    const auto elements = static_cast<std::size_t>(numbers.evaluate(extents));
    sizes.push_back((elements * sizeof(float) + kAlignment - 1) / kAlignment * kAlignment);
  }
  std::vector<std::size_t> order(buffers.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return sizes[a] > sizes[b]; });
  offsets.resize(buffers.size());
  std::vector<std::size_t> placed;  // by offset
  for (const std::size_t buffer : order) {
    std::size_t offset = 0;
    for (const std::size_t other : placed) {
      const bool together =
          buffers[buffer].first <= buffers[other].last && buffers[other].first <= buffers[buffer].last;
      if (!together) continue;
      if (offset + sizes[buffer] <= offsets[other]) break;
      offset = std::max(offset, offsets[other] + sizes[other]);
    }
    offsets[buffer] = offset;
    const auto at = std::upper_bound(placed.begin(), placed.end(), offset,
                                     [&](std::size_t value, std::size_t other) { return value < offsets[other]; });
    placed.insert(at, buffer);
    bytes = std::max(bytes, offset + sizes[buffer]);
  }
}

}  // namespace accelerate::cpu
