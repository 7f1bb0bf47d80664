#include "graph/feeds.hpp"

#include <algorithm>

namespace accelerate {

std::int64_t longest_with_past(const Feeds& feeds, const StateSlots& slots) {
  const std::vector<std::int64_t>& tokens = feeds.extents.lengths("tokens");
  if (feeds.slots.size() != tokens.size()) {
    throw Error(ErrorKind::invalid_input,
                std::to_string(feeds.slots.size()) + " slots for " + std::to_string(tokens.size()) + " items");
  }
  std::int64_t longest = 0;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    longest = std::max(longest, slots.length(feeds.slots[i]) + tokens[i]);
  }
  return longest;
}

Extents with_past(const Feeds& feeds, const StateSlots& slots) {
  const std::int64_t longest = longest_with_past(feeds, slots);
  Extents extents = feeds.extents;
  std::vector<std::int64_t> past;
  for (const Slot slot : feeds.slots) past.push_back(slots.length(slot));
  extents.set_ragged("past", std::move(past));
  if (!extents.has("positions")) extents.set("positions", longest);
  return extents;
}

void check_feeds(const Graph& graph, const Feeds& feeds) {
  for (const Graph::Input& input : graph.inputs()) {
    const Node& node = graph.node(input.value);
    const auto found = feeds.tensors.find(node.name);
    if (found == feeds.tensors.end()) {
      throw Error(ErrorKind::invalid_input, "input \"" + node.name + "\" is missing", "graph " + graph.name());
    }
    const Tensor& given = found->second;
    const Dims expected = node.type.shape.stored(feeds.extents);
    const DType dtype = node.type.element == Element::index ? DType::i64 : DType::f32;
    if (given.dims() != expected || given.dtype() != dtype) {
      throw Error(ErrorKind::invalid_input,
                  "input \"" + node.name + "\" is " + std::string(name_of(given.dtype())) + " " +
                      to_string(given.dims()) + ", expected " + std::string(name_of(dtype)) + " " + to_string(expected),
                  "graph " + graph.name());
    }
  }
}

}  // namespace accelerate
