#include "lowering/host_slots.hpp"

#include <algorithm>
#include <numeric>

namespace accelerate::lowering {

HostSlots::HostSlots(const Graph& graph) {
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::state) continue;
    names_.push_back(node.name);
    widths_.push_back(node.type.shape.last().number());
  }
}

const HostSlots::Sequence& HostSlots::at(Slot slot) const {
  const auto found = sequences_.find(slot);
  if (found == sequences_.end()) throw Error(ErrorKind::internal, "slot " + std::to_string(slot) + " is not open");
  return found->second;
}

std::size_t HostSlots::index_of(const std::string& state) const {
  return static_cast<std::size_t>(std::ranges::find(names_, state) - names_.begin());
}

Slot HostSlots::open() {
  Sequence& sequence = sequences_[next_];
  sequence.stamp = next_stamp_++;
  sequence.states.resize(names_.size());
  return next_++;
}

Slot HostSlots::fork(Slot slot) {
  sequences_[next_] = at(slot);
  return next_++;
}

void HostSlots::reorder(std::span<const Slot> slots, std::span<const Slot> parents) {
  std::vector<Sequence> before;
  before.reserve(parents.size());
  for (const Slot parent : parents) before.push_back(at(parent));
  for (std::size_t i = 0; i < slots.size(); ++i) sequences_.at(slots[i]) = std::move(before[i]);
}

void HostSlots::truncate(Slot slot, std::int64_t length) {
  if (length > at(slot).length) throw Error(ErrorKind::internal, "a sequence is not made longer by cutting it");
  Sequence& sequence = sequences_.at(slot);
  if (length != sequence.length) sequence.stamp = next_stamp_++;
  sequence.length = length;
  for (std::size_t i = 0; i < names_.size(); ++i) {
    sequence.states[i].resize(static_cast<std::size_t>(length * widths_[i]));
  }
}

void HostSlots::release(Slot slot) {
  // What a runtime holds of it takes a device's memory, and will hardly be asked for again.
  if (std::ranges::count(kept_stamps_, at(slot).stamp) > 0) keep({}, nullptr);
  sequences_.erase(slot);
}

void HostSlots::trim() {
  keep({}, nullptr);
  if (give_back_) give_back_();
}

std::int64_t HostSlots::bytes_per_position() const {
  return static_cast<std::int64_t>(sizeof(float)) * std::accumulate(widths_.begin(), widths_.end(), std::int64_t{0});
}

std::int64_t HostSlots::bytes() const {
  std::int64_t positions = 0;
  for (const auto& [slot, sequence] : sequences_) positions += sequence.length;
  return positions * bytes_per_position();
}

Tensor HostSlots::by_heads(std::span<const Slot> slots, const std::string& state, std::int64_t heads) const {
  const std::size_t index = index_of(state);
  const std::int64_t width = widths_[index], head_dim = width / heads;
  std::int64_t longest = 0;
  for (const Slot slot : slots) longest = std::max(longest, at(slot).length);
  Tensor past(DType::f32, {static_cast<std::int64_t>(slots.size()), heads, longest, head_dim});
  float* out = past.as<float>().data();
  for (const Slot slot : slots) {
    const Sequence& sequence = at(slot);
    for (std::int64_t head = 0; head < heads; ++head, out += longest * head_dim) {
      const float* from = sequence.states[index].data() + head * head_dim;
      for (std::int64_t row = 0; row < sequence.length; ++row) {
        std::copy_n(from + row * width, head_dim, out + row * head_dim);
      }
    }
  }
  return past;
}

void HostSlots::append(std::span<const Slot> slots, std::span<const std::int64_t> counts, const std::string& state,
                       const Tensor& rows) {
  const std::size_t index = index_of(state);
  const float* from = rows.as<float>().data();
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Sequence& sequence = sequences_.at(slots[i]);
    std::vector<float>& to = sequence.states[index];
    // A run that failed half way may have left rows that count for nothing.
    to.resize(static_cast<std::size_t>(sequence.length * widths_[index]));
    to.insert(to.end(), from, from + counts[i] * widths_[index]);
    from += counts[i] * widths_[index];
  }
}

void HostSlots::grow(std::span<const Slot> slots, std::span<const std::int64_t> counts) {
  for (std::size_t i = 0; i < slots.size(); ++i) {
    Sequence& sequence = sequences_.at(slots[i]);
    sequence.length += counts[i];
    sequence.stamp = next_stamp_++;
  }
}

std::vector<std::int64_t> HostSlots::stamps(std::span<const Slot> slots) const {
  std::vector<std::int64_t> found;
  for (const Slot slot : slots) found.push_back(at(slot).stamp);
  return found;
}

void HostSlots::keep(std::span<const Slot> slots, std::shared_ptr<const KeptPast> past) {
  kept_stamps_ = past ? stamps(slots) : std::vector<std::int64_t>();
  kept_ = std::move(past);
}

std::shared_ptr<const KeptPast> HostSlots::kept(std::span<const Slot> slots) const {
  return kept_ && stamps(slots) == kept_stamps_ ? kept_ : nullptr;
}

}  // namespace accelerate::lowering
