#include "runtime/batches.hpp"

#include <algorithm>

namespace accelerate::runtime {

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

void for_each_batch(std::vector<Item> items, const BatchOptions& options,
                    const std::function<void(std::span<const Item>)>& run) {
  if (options.tokens < 1) {
    throw Error(ErrorKind::invalid_input, "is " + std::to_string(options.tokens) + ", expected 1 or more", "tokens");
  }
  // The longest first: its arena serves all that follow.
  std::ranges::stable_sort(items, [](const Item& a, const Item& b) { return a.rows() > b.rows(); });
  const auto total = static_cast<std::int64_t>(items.size());
  std::size_t first = 0;
  while (first < items.size()) {
    options.cancellation.check();
    std::size_t end = first;
    std::int64_t tokens = 0;
    while (end < items.size() && (end == first || tokens + items[end].rows() <= options.tokens)) {
      tokens += items[end++].rows();
    }
    run(std::span(items).subspan(first, end - first));
    first = end;
    if (options.progress) options.progress(static_cast<std::int64_t>(first), total);
  }
}

}  // namespace accelerate::runtime
