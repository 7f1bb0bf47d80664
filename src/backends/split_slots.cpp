#include "backends/split_slots.hpp"

#include <utility>

#include "accelerate/error.hpp"

namespace accelerate {

const std::vector<Slot>& SplitSlots::at(Slot slot) const {
  const auto found = slots_.find(slot);
  if (found == slots_.end()) {
    throw Error(ErrorKind::internal, "slot " + std::to_string(slot) + " is not open", "split session");
  }
  return found->second;
}

Slot SplitSlots::add(std::vector<Slot> own) {
  slots_.emplace(next_, std::move(own));
  return next_++;
}

Slot SplitSlots::open() {
  std::vector<Slot> own;
  for (StateSlots* part : parts_) own.push_back(part->open());
  return add(std::move(own));
}

Slot SplitSlots::fork(Slot slot) {
  std::vector<Slot> own = at(slot);
  for (std::size_t i = 0; i < parts_.size(); ++i) own[i] = parts_[i]->fork(own[i]);
  return add(std::move(own));
}

void SplitSlots::reorder(std::span<const Slot> slots, std::span<const Slot> parents) {
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->reorder(in_part(slots, i), in_part(parents, i));
}

void SplitSlots::truncate(Slot slot, std::int64_t length) {
  const std::vector<Slot>& own = at(slot);
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->truncate(own[i], length);
}

void SplitSlots::release(Slot slot) {
  const std::vector<Slot>& own = at(slot);
  for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i]->release(own[i]);
  slots_.erase(slot);
}

std::int64_t SplitSlots::bytes_per_position() const {
  std::int64_t sum = 0;
  for (const StateSlots* part : parts_) sum += part->bytes_per_position();
  return sum;
}

std::int64_t SplitSlots::bytes() const {
  std::int64_t sum = 0;
  for (const StateSlots* part : parts_) sum += part->bytes();
  return sum;
}

void SplitSlots::trim() {
  for (StateSlots* part : parts_) part->trim();
}

std::vector<Slot> SplitSlots::in_part(std::span<const Slot> slots, std::size_t part) const {
  std::vector<Slot> own;
  for (const Slot slot : slots) own.push_back(at(slot)[part]);
  return own;
}

// Delegating: what was copied is released too where a further copy finds no memory.
SplitUndo::SplitUndo(SplitSlots& slots, const Feeds& feeds) : SplitUndo(slots) {
  const std::vector<std::int64_t>& tokens = feeds.extents.lengths("tokens");
  for (std::size_t i = 0; i < feeds.slots.size(); ++i) {
    const Slot slot = feeds.slots[i];
    before_.push_back({slot, slots.length(slot)});
    if (tokens[i] > kMostTakenBack) before_.back().copy = slots.fork(slot);
  }
}

SplitUndo::~SplitUndo() {
  for (const Before& each : before_) {
    if (each.copy >= 0) slots_.release(each.copy);
  }
}

void SplitUndo::restore() {
  for (const Before& each : before_) {
    if (each.copy >= 0) {
      slots_.reorder({&each.slot, 1}, {&each.copy, 1});
    } else {
      slots_.truncate(each.slot, each.length);
    }
  }
}

}  // namespace accelerate
