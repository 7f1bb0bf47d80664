// How new keys and values get into pages.
#pragma once

#include <vector>

#include "backends/cpu/kernels.hpp"

namespace accelerate::cpu::detail {

// Cut into items that any threads may put: an item is what one key head of a sequence puts into one panel of keys,
// which lies together. A sequence's items are in the order of panels, those of a panel in the order of heads.
class Appending {
 public:
  Appending(const AppendKeys& a, std::int64_t panel_columns);

  std::int64_t items() const { return first_item_.back(); }
  // Of a sequence: its heads' where it appends one position.
  std::int64_t first_item(std::int64_t sequence) const { return first_item_[static_cast<std::size_t>(sequence)]; }
  // Numbers of an item. One that is alone in its line counts like a whole line, which comes from memory.
  double numbers() const;
  // Items [begin, end).
  void put(std::int64_t begin, std::int64_t end) const;

 private:
  template <typename Number>
  struct Place;
  template <typename Number>
  Place<Number> place_of(std::int64_t item) const;
  template <typename Number>
  void ask(const Place<Number>& place) const;
  template <typename Number, typename Convert>
  void put_at(const Place<Number>& place, Convert convert) const;
  template <typename Number, typename Convert>
  void put_as(std::int64_t begin, std::int64_t end, Convert convert) const;

  const AppendKeys& a_;
  std::int64_t panel_, longest_ = 0;
  std::vector<std::int64_t> first_item_{0};  // of each sequence, and their number
};

}  // namespace accelerate::cpu::detail
