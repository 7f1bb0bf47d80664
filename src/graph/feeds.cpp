#include "graph/feeds.hpp"

namespace accelerate {

void check_feeds(const Graph& graph, const Feeds& feeds) {
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input) continue;
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
