#include "runtime/sequences.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "runtime/packing.hpp"

namespace accelerate::runtime {
namespace {

// Pasts of ended texts that are kept, and the bytes that they may take beside those in use.
constexpr std::size_t kMostKept = 16;
constexpr std::int64_t kMostBytes = std::int64_t{512} << 20;

std::size_t common_prefix(std::span<const std::int32_t> a, std::span<const std::int32_t> b) {
  return static_cast<std::size_t>(std::ranges::mismatch(a, b).in1 - a.begin());
}

std::int64_t steady_length_of(const Graph& graph) {
  std::int64_t length = std::numeric_limits<std::int64_t>::max();
  for (const Node& node : graph.nodes()) {
    const bool counts = std::ranges::find(node.table_of, kPositions) != node.table_of.end();
    if (counts) length = std::min(length, node.table_limit);
  }
  return length;
}

}  // namespace

Sequences::Sequences(std::shared_ptr<CompiledGraph> graph)
    : graph_(std::move(graph)), session_(graph_->start()), steady_length_(steady_length_of(graph_->graph())) {}

Tensor Sequences::run(std::span<const Next> next, const Cancellation& cancellation,
                      const std::function<void(Feeds&)>& look) {
  std::vector<Item> items;
  std::vector<Selected> selected;
  std::vector<Slot> slots;
  std::int64_t length = 0;
  for (const Next& each : next) {
    Item item{.number = items.size()};
    item.ids.assign(each.tokens.begin(), each.tokens.end());
    const std::int64_t past = this->slots().length(each.slot);
    length = std::max({length, past + std::ssize(each.tokens), each.length});
    for (std::int64_t i = 0; i < std::ssize(item.ids); ++i) item.position_ids.push_back(past + i);
    for (std::size_t i = each.tokens.size() - each.wanted; i < each.tokens.size(); ++i) {
      selected.push_back({std::ssize(items), static_cast<std::int64_t>(i)});
    }
    items.push_back(std::move(item));
    slots.push_back(each.slot);
  }
  Feeds feeds = feeds_of(graph_->graph(), items, selected);
  feeds.slots = std::move(slots);
  // A long prompt that comes in parts is turned as the long text that it is from the first part on.
  if (length > steady_length_) feeds.extents.set("positions", length);
  if (!next.empty() && next.front().source != nullptr) feed_sources(next, feeds);
  if (look) look(feeds);
  return std::move(graph_->run(*session_, std::move(feeds), cancellation).at("logits"));
}

// Rows of all items one after the other, made anew only when the items change.
void Sequences::feed_sources(std::span<const Next> next, Feeds& feeds) {
  std::vector<std::shared_ptr<const Source>> sources;
  std::vector<std::int64_t> lengths;
  for (const Next& each : next) {
    sources.push_back(each.source);
    lengths.push_back(each.source->tokens);
  }
  if (sources != sources_) {
    source_feeds_.clear();
    const std::int64_t rows = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
    for (const auto& [name, first] : sources.front()->rows) {
      if (sources.size() == 1) {
        source_feeds_.emplace(name, Tensor::view(first.dtype(), first.dims(), first.bytes(), sources.front()));
        continue;
      }
      Tensor all(DType::f32, {rows, first.dim(1)});
      auto out = all.as<float>().begin();
      for (const auto& source : sources) out = std::ranges::copy(source->rows.at(name).as<float>(), out).out;
      source_feeds_.emplace(name, std::move(all));
    }
    sources_ = std::move(sources);
  }
  feeds.extents.set_ragged("source", std::move(lengths));
  for (const auto& [name, rows] : source_feeds_) feeds.tensors[name] = rows;
}

void Sequences::drop_sources() {
  sources_.clear();
  source_feeds_.clear();
}

void Sequences::rest() {
  drop_sources();
  slots().trim();
}

Slot Sequences::begin(std::span<const std::int32_t> tokens) {
  const Kept* best = nullptr;
  std::size_t most = 0;
  const auto is_steady = [&](std::span<const std::int32_t> text) { return std::ssize(text) <= steady_length_; };
  for (const Kept& kept : kept_) {
    if (!is_steady(tokens) || !is_steady(kept.tokens)) continue;  // its keys were turned for another length
    const std::size_t shared = std::min(common_prefix(tokens, kept.tokens), tokens.size() - 1);
    if (shared > most) best = &kept, most = shared;
  }
  if (best == nullptr) return slots().open();
  const Slot slot = slots().fork(best->slot);
  try {
    slots().truncate(slot, static_cast<std::int64_t>(most));
  } catch (const Error& error) {
    // A window has let go of what would be needed.
    if (error.kind() != ErrorKind::unsupported) throw;
    slots().release(slot);
    return slots().open();
  }
  return slot;
}

void Sequences::end(Slot slot, std::span<const std::int32_t> tokens) {
  // What it began with is in it: one of the two is enough.
  std::erase_if(kept_, [&](const Kept& kept) {
    const bool contained = common_prefix(tokens, kept.tokens) == kept.tokens.size();
    if (contained) slots().release(kept.slot);
    return contained;
  });
  kept_.push_back({slot, {tokens.begin(), tokens.end()}});
  if (kept_.size() > kMostKept) let_go();
  while (kept_.size() > 1 && slots().bytes() > kMostBytes) let_go();
}

void Sequences::let_go() {
  slots().release(kept_.front().slot);
  kept_.erase(kept_.begin());
}

void Sequences::keep_at_most(std::int64_t bytes) {
  while (!kept_.empty() && slots().bytes() > bytes) let_go();
}

}  // namespace accelerate::runtime
