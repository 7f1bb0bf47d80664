// Keys and values of the past, in pages that sequences share until one of them writes.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/cpu/kernels.hpp"
#include "graph/graph.hpp"
#include "graph/state.hpp"

namespace accelerate::cpu {

// Which attention keeps its keys and values where. Layers that look equally far back share pages, so that a page that
// nobody will look at again is given back as a whole.
class CacheLayout {
 public:
  CacheLayout() = default;
  explicit CacheLayout(const Graph& graph, DType stored = DType::f32);

  struct Place {
    std::size_t group = 0;
    PagePart part;
  };
  struct Group {
    std::int64_t window = -1;  // StateRule::window
    std::int64_t numbers = 0;  // of a page
  };
  bool empty() const { return groups_.empty(); }
  // Of the attention whose keys are this state.
  const Place& place(std::string_view key_state) const;
  const std::vector<Group>& groups() const { return groups_; }
  DType stored() const { return stored_; }
  std::int64_t page_bytes(const Group& group) const;
  std::int64_t bytes_per_position() const;
  // What sequences of these lengths take together.
  std::int64_t bytes(const std::vector<std::int64_t>& lengths) const;

 private:
  DType stored_ = DType::f32;
  std::vector<Group> groups_;
  std::map<std::string, Place, std::less<>> places_;
};

class Cache final : public StateSlots {
 public:
  explicit Cache(CacheLayout layout) : layout_(std::move(layout)) {}

  Slot open() override;
  std::int64_t length(Slot slot) const override { return at(slot).length; }
  Slot fork(Slot slot) override;
  void reorder(std::span<const Slot> slots, std::span<const Slot> parents) override;
  void truncate(Slot slot, std::int64_t length) override;
  void release(Slot slot) override;
  std::int64_t bytes_per_position() const override { return layout_.bytes_per_position(); }
  std::int64_t bytes() const override;
  void trim() override;

  const CacheLayout& layout() const { return layout_; }
  // Makes room behind a slot's past that is its own. Error{out_of_memory}.
  void extend(Slot slot, std::int64_t tokens);
  // The slot's pages for the layers of a group, with room for `tokens` more positions, which it counts.
  PagedSequence sequence(Slot slot, std::size_t group, std::int64_t tokens) const;
  // What extend() made room for is there now; gives back what no window reaches any more.
  void grow(Slot slot, std::int64_t tokens);

 private:
  using Page = std::shared_ptr<HostBuffer>;
  struct Table {
    std::int64_t first = 0;  // position of pages[0]
    std::vector<Page> pages;
    std::vector<void*> data;
  };
  struct Sequence {
    std::int64_t length = 0;
    std::vector<Table> tables;  // by group
  };

  const Sequence& at(Slot slot) const;
  Sequence& at(Slot slot) { return const_cast<Sequence&>(std::as_const(*this).at(slot)); }
  Page new_page(std::size_t group);
  void own_end(Table& table, std::size_t group, std::int64_t length);
  void drop(Table& table, std::size_t group, std::size_t begin, std::size_t end);

  CacheLayout layout_;
  std::map<Slot, Sequence> sequences_;
  std::map<std::size_t, std::vector<Page>> spare_;  // by group: given back, to be used again
  Slot next_ = 0;
};

}  // namespace accelerate::cpu
