// Sequences whose past a session keeps: the keys and values of their earlier tokens.
//
// docs/architecture.md walks decoding, beam search and verification of drafts through it.
#pragma once

#include <cstdint>
#include <span>

namespace accelerate {

// One sequence in a session. Slots are cheap handles; a forked one shares its past until one of them appends.
using Slot = std::int64_t;

// So many of the last positions can be forgotten again whatever the windows: drafts are no longer.
inline constexpr std::int64_t kMostTakenBack = 64;

// What a session offers to the loops in runtime/ (greedy, sampling, beams, drafts). Positions count from the first
// token of the sequence. Not for two threads at once, nor during a run. Error{internal} for a slot that is not open.
class StateSlots {
 public:
  virtual ~StateSlots() = default;
  // An empty sequence.
  virtual Slot open() = 0;
  // Positions that a slot holds.
  virtual std::int64_t length(Slot slot) const = 0;
  // A second sequence with the same past: a beam, a sample, a prompt that others continue.
  virtual Slot fork(Slot slot) = 0;
  // Slot i becomes a copy of slot parents[i], as they all were before: one step of beam search.
  virtual void reorder(std::span<const Slot> slots, std::span<const Slot> parents) = 0;
  // Forgets positions from `length` on: rejected draft tokens. Error{unsupported} where more than kMostTakenBack are
  // forgotten and a sliding window has already dropped what would be looked at again.
  virtual void truncate(Slot slot, std::int64_t length) = 0;
  virtual void release(Slot slot) = 0;
  // Bytes that one more position of one slot takes.
  virtual std::int64_t bytes_per_position() const = 0;
  // Bytes that all slots together take now.
  virtual std::int64_t bytes() const = 0;
  // Gives back memory that no slot takes now and that was held to be taken again.
  virtual void trim() {}
};

}  // namespace accelerate
