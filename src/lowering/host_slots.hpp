// Sequences for models that take the past and give what is added to it: rows in memory, a copy for each fork.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/state.hpp"

namespace accelerate::lowering {

// The past of some slots where a runtime computes, beside the rows in memory.
class KeptPast {
 public:
  virtual ~KeptPast() = default;
};

class HostSlots final : public StateSlots {
 public:
  explicit HostSlots(const Graph& graph);

  Slot open() override;
  std::int64_t length(Slot slot) const override { return at(slot).length; }
  Slot fork(Slot slot) override;
  void reorder(std::span<const Slot> slots, std::span<const Slot> parents) override;
  void truncate(Slot slot, std::int64_t length) override;
  void release(Slot slot) override;
  std::int64_t bytes_per_position() const override;
  std::int64_t bytes() const override;  // without what a runtime holds
  void trim() override;

  // A state of some slots by heads, with zeros behind shorter ones: [slots, heads, longest, n / heads].
  Tensor by_heads(std::span<const Slot> slots, const std::string& state, std::int64_t heads) const;
  // Puts a run's rows behind, one after the other for each slot; lengths grow when they were added to all states.
  void append(std::span<const Slot> slots, std::span<const std::int64_t> counts, const std::string& state,
              const Tensor& rows);
  void grow(std::span<const Slot> slots, std::span<const std::int64_t> counts);

  // Takes what a runtime holds of all states of these slots, as they are now, in place of what it held before; null:
  // nothing.
  void keep(std::span<const Slot> slots, std::shared_ptr<const KeptPast> past);
  // What was kept last, where it is the past of these slots in this order; else null.
  std::shared_ptr<const KeptPast> kept(std::span<const Slot> slots) const;
  // Called by trim() when nothing is kept any more: for what a runtime holds to keep the next past in.
  void on_trim(std::function<void()> give_back) { give_back_ = std::move(give_back); }

 private:
  struct Sequence {
    // Equal stamps mean equal rows: a copy has that of what it was copied from, every other change makes a new one.
    std::int64_t stamp = 0;
    std::int64_t length = 0;
    std::vector<std::vector<float>> states;
  };
  const Sequence& at(Slot slot) const;
  std::size_t index_of(const std::string& state) const;
  std::vector<std::int64_t> stamps(std::span<const Slot> slots) const;

  std::vector<std::string> names_;
  std::vector<std::int64_t> widths_;
  std::map<Slot, Sequence> sequences_;
  Slot next_ = 0;
  std::int64_t next_stamp_ = 0;
  std::vector<std::int64_t> kept_stamps_;
  std::shared_ptr<const KeptPast> kept_;
  std::function<void()> give_back_;
};

}  // namespace accelerate::lowering
