// State that a graph keeps between runs: key and value caches, recurrent state. Declared here, kept by a session.
//
// docs/architecture.md walks decoding, beam search and verification of drafts through it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "graph/graph.hpp"

namespace accelerate {

enum class StateKind {
  full,       // every position stays: causal self attention
  sliding,    // the last `window` positions stay
  cross,      // computed once from the encoder, then only read
  recurrent,  // one value a slot, replaced at each step
};

// What an architecture declares for each layer that remembers.
struct StateDeclaration {
  std::string name;  // "decoder.layer.3.key"
  StateKind kind = StateKind::full;
  Shape per_position;       // [kv_heads, head_dim] for caches; the whole state for recurrent
  std::int64_t window = 0;  // sliding
};

// One sequence in a session. Slots are cheap handles; a forked one shares its past until one of them appends.
using Slot = std::int64_t;

// What a session offers to the loops in runtime/ (greedy, sampling, beams, drafts). Positions count from the first
// token of the sequence.
class StateSlots {
 public:
  virtual ~StateSlots() = default;
  // An empty sequence.
  virtual Slot open() = 0;
  // Positions that a slot holds.
  virtual std::int64_t length(Slot slot) const = 0;
  // A second sequence with the same past: a beam, a sample, a prompt that others continue.
  virtual Slot fork(Slot slot) = 0;
  // Slot i becomes a copy of slot parents[i]: one step of beam search.
  virtual void reorder(const std::vector<Slot>& slots, const std::vector<Slot>& parents) = 0;
  // Forgets positions from `length` on: rejected draft tokens. Error{unsupported} where the state cannot go back
  // (recurrent, or a sliding window that has already dropped what would be needed).
  virtual void truncate(Slot slot, std::int64_t length) = 0;
  virtual void release(Slot slot) = 0;
  // Bytes that one more position of one slot takes.
  virtual std::int64_t bytes_per_position() const = 0;
};

}  // namespace accelerate
