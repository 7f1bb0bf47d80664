// Sequences for models that take the past and give what is added to it: rows in memory, a copy for each fork.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/state.hpp"

namespace accelerate::lowering {

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
  std::int64_t bytes() const override;

  // A state of some slots, one after the other: [sum of their lengths, n].
  Tensor rows(std::span<const Slot> slots, const std::string& state) const;
  // Puts a run's rows behind, one after the other for each slot; lengths grow when they were added to all states.
  void append(std::span<const Slot> slots, std::span<const std::int64_t> counts, const std::string& state,
              const Tensor& rows);
  void grow(std::span<const Slot> slots, std::span<const std::int64_t> counts);

 private:
  struct Sequence {
    std::int64_t length = 0;
    std::vector<std::vector<float>> states;
  };
  const Sequence& at(Slot slot) const;
  std::size_t index_of(const std::string& state) const;

  std::vector<std::string> names_;
  std::vector<std::int64_t> widths_;
  std::map<Slot, Sequence> sequences_;
  Slot next_ = 0;
};

}  // namespace accelerate::lowering
