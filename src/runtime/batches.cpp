#include "runtime/batches.hpp"

#include <algorithm>

namespace accelerate::runtime {
namespace {

// One past the last item of each run, where the runs are as few as the budget allows.
std::vector<std::size_t> fewest_runs(std::span<const Item> items, std::int64_t budget) {
  std::vector<std::size_t> ends;
  for (std::size_t first = 0; first < items.size(); first = ends.back()) {
    std::size_t end = first;
    std::int64_t tokens = 0;
    while (end < items.size() && (end == first || tokens + items[end].rows() <= budget)) tokens += items[end++].rows();
    ends.push_back(end);
  }
  return ends;
}

// The same where each item of a run costs as much as its first one, the longest, and each run `start` tokens more: of
// all ways to part the items the cheapest.
std::vector<std::size_t> cheapest_runs(std::span<const Item> items, std::int64_t budget, std::int64_t start) {
  std::vector<std::int64_t> costs(items.size() + 1, 0);  // of the items from each on
  std::vector<std::size_t> next(items.size());
  for (std::size_t first = items.size(); first-- > 0;) {
    const std::int64_t longest = items[first].rows();
    std::int64_t tokens = 0;
    for (std::size_t end = first + 1; end <= items.size(); ++end) {
      tokens += longest;
      if (end > first + 1 && tokens > budget) break;
      const std::int64_t cost = start + tokens + costs[end];
      if (end > first + 1 && cost > costs[first]) continue;
      costs[first] = cost;
      next[first] = end;
    }
  }
  std::vector<std::size_t> ends;
  for (std::size_t first = 0; first < items.size(); first = ends.back()) ends.push_back(next[first]);
  return ends;
}

}  // namespace

std::vector<Item> items_of(const TokenizedTexts& texts) {
  std::vector<Item> items(texts.ids.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    items[i].number = i;
    if (texts.ids[i].empty()) {
      throw Error(ErrorKind::invalid_input, "has no tokens: nothing to run", "texts[" + std::to_string(i) + "]");
    }
    items[i].ids.assign(texts.ids[i].begin(), texts.ids[i].end());
    items[i].type_ids.assign(texts.type_ids[i].begin(), texts.type_ids[i].end());
  }
  return items;
}

Item item_of(std::size_t number, const text::Encoding& encoding) {
  Item item;
  item.number = number;
  item.ids.assign(encoding.ids.begin(), encoding.ids.end());
  item.type_ids.assign(encoding.type_ids.begin(), encoding.type_ids.end());
  return item;
}

void for_each_batch(std::vector<Item> items, const RunCost& cost, const BatchOptions& options,
                    const std::function<void(std::span<const Item>)>& run) {
  if (options.tokens < 1) {
    throw Error(ErrorKind::invalid_input, "is " + std::to_string(options.tokens) + ", expected 1 or more", "tokens");
  }
  // The longest first: its arena serves all that follow.
  std::ranges::stable_sort(items, [](const Item& a, const Item& b) { return a.rows() > b.rows(); });
  std::size_t first = 0;
  for (const std::size_t end :
       cost.padded ? cheapest_runs(items, options.tokens, cost.tokens) : fewest_runs(items, options.tokens)) {
    options.cancellation.check();
    run(std::span(items).subspan(first, end - first));
    first = end;
    if (options.progress) options.progress(static_cast<std::int64_t>(first), static_cast<std::int64_t>(items.size()));
  }
}

}  // namespace accelerate::runtime
