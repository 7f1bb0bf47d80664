#include "lowering/model_run.hpp"

#include <algorithm>

#include "lowering/padding.hpp"

namespace accelerate::lowering {

std::vector<Tensor> ModelRun::inputs(const Feeds& feeds) {
  check_feeds(graph_, feeds);
  tables_.trim();
  std::vector<Tensor> tensors;
  for (const OnnxInput& each : inputs_) tensors.push_back(input(each, feeds));
  return tensors;
}

Tensor ModelRun::input(const OnnxInput& input, const Feeds& feeds) {
  switch (input.source) {
    case OnnxInput::Source::feed: {
      const Tensor& given = feeds.tensors.find(input.of)->second;
      return ragged_ == Ragged::rows ? given : pad(given, graph_.find_input(input.of)->type.shape, feeds.extents);
    }
    case OnnxInput::Source::table: return table(input, feeds.extents);
    case OnnxInput::Source::mask: return mask_of(input.of, feeds.extents);
    case OnnxInput::Source::row_of_place: return row_of_place(input.of, feeds.extents);
    case OnnxInput::Source::place_of_row: return place_of_row(input.of, feeds.extents);
  }
  throw Error(ErrorKind::internal, "input \"" + input.name + "\" has no source", "lowered model");
}

// The graph's node of that name.
const Tensor& ModelRun::table(const OnnxInput& input, const Extents& extents) {
  const auto node = std::find_if(graph_.nodes().begin(), graph_.nodes().end(), [&](const Node& each) {
    return each.source == Node::Source::table && each.name == input.of;
  });
  return tables_.get(*node, extents);
}

std::vector<Tensor> ModelRun::outputs(const Extents& extents) const {
  std::vector<Tensor> tensors;
  for (const Graph::Output& output : graph_.outputs()) {
    const Shape& shape = graph_.node(output.value).type.shape;
    tensors.emplace_back(DType::f32, ragged_ == Ragged::rows ? shape.stored(extents) : padded_dims(shape, extents));
  }
  return tensors;
}

Outputs ModelRun::named(std::vector<Tensor> outputs, const Extents& extents) const {
  Outputs named;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    const Graph::Output& output = graph_.outputs()[i];
    const Shape& shape = graph_.node(output.value).type.shape;
    named[output.name] = ragged_ == Ragged::rows ? std::move(outputs[i]) : unpad(outputs[i], shape, extents);
  }
  return named;
}

}  // namespace accelerate::lowering
