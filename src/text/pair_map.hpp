// Pairs of ids and what they merge into, in one flat table.
#pragma once

#include <cstdint>
#include <vector>

namespace accelerate::text {

class PairMap {
 public:
  struct Value {
    std::uint32_t rank;
    std::int32_t id;
  };

  void reserve(std::size_t count) {
    std::size_t slots = 16;
    while (slots < count * 2) slots *= 2;
    if (slots > slots_.size()) grow(slots);
  }
  void set(std::uint32_t first, std::uint32_t second, Value value) {
    if ((size_ + 1) * 2 > slots_.size()) grow(slots_.empty() ? 16 : slots_.size() * 2);
    Slot& slot = slot_of(key(first, second));
    if (slot.value.id < 0) ++size_;
    slot = {key(first, second), value};
  }
  const Value* find(std::uint32_t first, std::uint32_t second) const {
    if (slots_.empty()) return nullptr;
    const std::uint64_t wanted = key(first, second);
    for (std::size_t at = place(wanted);; at = (at + 1) & (slots_.size() - 1)) {
      const Slot& slot = slots_[at];
      if (slot.value.id < 0) return nullptr;
      if (slot.key == wanted) return &slot.value;
    }
  }

 private:
  struct Slot {
    std::uint64_t key = 0;
    Value value{0, -1};  // a negative id marks a free slot
  };
  static std::uint64_t key(std::uint32_t first, std::uint32_t second) { return std::uint64_t{first} << 32 | second; }
  std::size_t place(std::uint64_t wanted) const {
    const std::uint64_t hash = (wanted ^ (wanted >> 29)) * 0x9e3779b97f4a7c15U;
    return (hash ^ (hash >> 32)) & (slots_.size() - 1);
  }
  Slot& slot_of(std::uint64_t wanted) {
    std::size_t at = place(wanted);
    while (slots_[at].value.id >= 0 && slots_[at].key != wanted) at = (at + 1) & (slots_.size() - 1);
    return slots_[at];
  }
  void grow(std::size_t slots) {
    std::vector<Slot> old(slots);
    old.swap(slots_);
    for (const Slot& slot : old) {
      if (slot.value.id >= 0) slot_of(slot.key) = slot;
    }
  }

  std::vector<Slot> slots_;
  std::size_t size_ = 0;
};

}  // namespace accelerate::text
