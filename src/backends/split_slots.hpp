// Sequences of a session that runs in parts: one slot of the whole is one in each part that keeps state.
#pragma once

#include <map>
#include <vector>

#include "graph/feeds.hpp"
#include "graph/state.hpp"

namespace accelerate {

class SplitSlots final : public StateSlots {
 public:
  // Those of the parts, at least one, which outlive it. Nobody else opens or changes their slots.
  explicit SplitSlots(std::vector<StateSlots*> parts) : parts_(std::move(parts)) {}

  Slot open() override;
  std::int64_t length(Slot slot) const override { return parts_.front()->length(at(slot).front()); }
  Slot fork(Slot slot) override;
  void reorder(std::span<const Slot> slots, std::span<const Slot> parents) override;
  void truncate(Slot slot, std::int64_t length) override;
  void release(Slot slot) override;
  std::int64_t bytes_per_position() const override;
  std::int64_t bytes() const override;
  void trim() override;

  // What these are in one of the parts, numbered as the constructor took them.
  std::vector<Slot> in_part(std::span<const Slot> slots, std::size_t part) const;

 private:
  const std::vector<Slot>& at(Slot slot) const;
  Slot add(std::vector<Slot> own);

  std::vector<StateSlots*> parts_;
  std::map<Slot, std::vector<Slot>> slots_;  // of the parts
  Slot next_ = 0;
};

// What puts the slots of a run back as they were, should one of its parts fail behind another that ran.
class SplitUndo {
 public:
  SplitUndo(SplitSlots& slots, const Feeds& feeds);
  SplitUndo(const SplitUndo&) = delete;
  SplitUndo& operator=(const SplitUndo&) = delete;
  ~SplitUndo();
  void restore();

 private:
  explicit SplitUndo(SplitSlots& slots) : slots_(slots) {}
  struct Before {
    Slot slot = 0;
    std::int64_t length = 0;
    Slot copy = -1;  // where more is added than can be forgotten again
  };
  SplitSlots& slots_;
  std::vector<Before> before_;
};

}  // namespace accelerate
