#include "backends/cpu/cache.hpp"

#include <algorithm>
#include <cstring>
#include <set>

#include "graph/ops/attention.hpp"

namespace accelerate::cpu {
namespace {

std::int64_t page_count(std::int64_t positions) { return (positions + kPagePositions - 1) / kPagePositions; }

// The first position that is still looked at once a sequence is so long.
std::int64_t first_needed(const CacheLayout::Group& group, std::int64_t length) {
  return group.window < 0 ? 0 : std::max<std::int64_t>(0, length - group.window);
}

// The first position that is kept then: drafts are taken back.
std::int64_t first_kept(const CacheLayout::Group& group, std::int64_t length) {
  return first_needed(group, length - kMostTakenBack) / kPagePositions * kPagePositions;
}

}  // namespace

CacheLayout::CacheLayout(const Graph& graph, DType stored) : stored_(stored) {
  using Index = ops::Attention::Index;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::operation || node.operation->name() != "attention") continue;
    if (node.operands.size() <= Index::kPastKey) continue;
    const auto& op = static_cast<const ops::Attention&>(*node.operation);
    const Node& key = graph.node(node.operands[Index::kPastKey]);
    auto group = std::ranges::find(groups_, key.state.window, &Group::window);
    if (group == groups_.end()) group = groups_.insert(groups_.end(), Group{.window = key.state.window});
    const PagePart part{group->numbers, op.kv_heads, key.type.shape.last().number() / op.kv_heads, stored};
    places_[key.name] = {static_cast<std::size_t>(group - groups_.begin()), part};
    group->numbers += part.numbers();
  }
}

std::int64_t CacheLayout::page_bytes(const Group& group) const {
  return group.numbers * static_cast<std::int64_t>(size_of(stored_));
}

const CacheLayout::Place& CacheLayout::place(std::string_view key_state) const {
  return places_.find(key_state)->second;
}

std::int64_t CacheLayout::bytes_per_position() const {
  std::int64_t sum = 0;
  for (const Group& group : groups_) sum += page_bytes(group) / kPagePositions;
  return sum;
}

std::int64_t CacheLayout::bytes(const std::vector<std::int64_t>& lengths) const {
  std::int64_t sum = 0;
  for (const Group& group : groups_) {
    for (const std::int64_t length : lengths) {
      sum += (page_count(length) - first_kept(group, length) / kPagePositions) * page_bytes(group);
    }
  }
  return sum;
}

const Cache::Sequence& Cache::at(Slot slot) const {
  const auto found = sequences_.find(slot);
  if (found == sequences_.end()) throw Error(ErrorKind::internal, "slot " + std::to_string(slot) + " is not open");
  return found->second;
}

Slot Cache::open() {
  sequences_[next_].tables.resize(layout_.groups().size());
  return next_++;
}

Slot Cache::fork(Slot slot) {
  sequences_[next_] = at(slot);
  return next_++;
}

void Cache::reorder(std::span<const Slot> slots, std::span<const Slot> parents) {
  std::vector<Sequence> before;
  before.reserve(parents.size());
  for (const Slot parent : parents) before.push_back(at(parent));
  for (std::size_t i = 0; i < slots.size(); ++i) {
    std::swap(at(slots[i]), before[i]);
    // What the slot held before is let go of, page by page where nobody else has it.
  }
  for (Sequence& old : before) {
    for (std::size_t group = 0; group < old.tables.size(); ++group) {
      drop(old.tables[group], group, 0, old.tables[group].pages.size());
    }
  }
}

void Cache::truncate(Slot slot, std::int64_t length) {
  Sequence& sequence = at(slot);
  if (length > sequence.length) throw Error(ErrorKind::internal, "a sequence is not made longer by cutting it");
  for (std::size_t group = 0; group < sequence.tables.size(); ++group) {
    if (first_needed(layout_.groups()[group], length) >= sequence.tables[group].first) continue;
    throw Error(ErrorKind::unsupported,
                "position " + std::to_string(length) + " cannot be gone back to: what its window reaches was dropped");
  }
  for (std::size_t group = 0; group < sequence.tables.size(); ++group) {
    Table& table = sequence.tables[group];
    const auto kept = static_cast<std::size_t>(page_count(length) - table.first / kPagePositions);
    drop(table, group, kept, table.pages.size());
  }
  sequence.length = length;
}

void Cache::release(Slot slot) {
  Sequence& sequence = at(slot);
  for (std::size_t group = 0; group < sequence.tables.size(); ++group) {
    drop(sequence.tables[group], group, 0, sequence.tables[group].pages.size());
  }
  sequences_.erase(slot);
}

void Cache::trim() { spare_.clear(); }

std::int64_t Cache::bytes() const {
  std::set<const HostBuffer*> pages;
  std::int64_t sum = 0;
  for (const auto& [slot, sequence] : sequences_) {
    for (const Table& table : sequence.tables) {
      for (const Page& page : table.pages) {
        if (pages.insert(page.get()).second) sum += static_cast<std::int64_t>(page->size());
      }
    }
  }
  return sum;
}

Cache::Page Cache::new_page(std::size_t group) {
  std::vector<Page>& spare = spare_[group];
  if (spare.empty()) {
    return std::make_shared<HostBuffer>(static_cast<std::size_t>(layout_.page_bytes(layout_.groups()[group])));
  }
  Page page = std::move(spare.back());
  spare.pop_back();
  return page;
}

// Pages [begin, end) leave the table; those that no other sequence has are kept for the next that needs one.
void Cache::drop(Table& table, std::size_t group, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  for (std::size_t i = begin; i < end; ++i) {
    if (table.pages[i].use_count() == 1) spare_[group].push_back(std::move(table.pages[i]));
  }
  const auto erase = [&](auto& list) {
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(begin), list.begin() + static_cast<std::ptrdiff_t>(end));
  };
  erase(table.pages);
  erase(table.data);
}

// From where the next position goes, pages are nobody else's: one with a past in it is copied.
void Cache::own_end(Table& table, std::size_t group, std::int64_t length) {
  const auto first = static_cast<std::size_t>((length - table.first) / kPagePositions);
  for (std::size_t i = first; i < table.pages.size(); ++i) {
    Page& page = table.pages[i];
    if (page.use_count() == 1) continue;
    Page own = new_page(group);
    if (i == first && length % kPagePositions != 0) std::memcpy(own->data(), page->data(), page->size());
    page = std::move(own);
    table.data[i] = page->data();
  }
}

void Cache::extend(Slot slot, std::int64_t tokens) {
  Sequence& sequence = at(slot);
  for (std::size_t group = 0; group < sequence.tables.size(); ++group) {
    Table& table = sequence.tables[group];
    own_end(table, group, sequence.length);
    const std::int64_t wanted = page_count(sequence.length + tokens) - table.first / kPagePositions;
    while (std::ssize(table.pages) < wanted) {
      table.pages.push_back(new_page(group));
      table.data.push_back(table.pages.back()->data());
    }
  }
}

PagedSequence Cache::sequence(Slot slot, std::size_t group, std::int64_t tokens) const {
  const Sequence& sequence = at(slot);
  const Table& table = sequence.tables[group];
  return {.pages = table.data, .first = table.first, .positions = sequence.length + tokens};
}

void Cache::grow(Slot slot, std::int64_t tokens) {
  Sequence& sequence = at(slot);
  sequence.length += tokens;
  for (std::size_t group = 0; group < sequence.tables.size(); ++group) {
    Table& table = sequence.tables[group];
    const std::int64_t first = first_kept(layout_.groups()[group], sequence.length);
    if (first <= table.first) continue;  // it was longer before it was cut
    drop(table, group, 0, static_cast<std::size_t>((first - table.first) / kPagePositions));
    table.first = first;
  }
}

}  // namespace accelerate::cpu
