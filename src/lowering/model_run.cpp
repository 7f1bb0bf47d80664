#include "lowering/model_run.hpp"

#include <algorithm>

#include "lowering/padding.hpp"

namespace accelerate::lowering {
namespace {

// Of the rows that a run adds to a state.
Shape added_shape(const Node& state) { return Shape({kBatch, kTokens, state.type.shape.last()}, /*is_ragged=*/true); }

}  // namespace

ModelRun::ModelRun(const Graph& graph, const std::vector<OnnxInput>& inputs, Ragged ragged)
    : graph_(graph), inputs_(inputs), ragged_(ragged) {
  for (const Node& node : graph.nodes()) {
    if (node.source == Node::Source::state) states_.push_back(&node);
  }
  if (!states_.empty()) slots_.emplace(graph);
}

Extents ModelRun::extents_of(const Feeds& feeds) const { return slots_ ? with_past(feeds, *slots_) : feeds.extents; }

std::shared_ptr<const KeptPast> ModelRun::past(const Feeds& feeds) const {
  return slots_ ? slots_->kept(feeds.slots) : nullptr;
}

bool ModelRun::has_next() const {
  const auto differ = [](std::int64_t a, std::int64_t b) { return a != b; };
  const auto all_equal = [&](const std::string& symbol) {
    return std::ranges::adjacent_find(extents_.lengths(symbol), differ) == extents_.lengths(symbol).end();
  };
  return slots_ && all_equal("past") && all_equal("tokens");
}

std::vector<Tensor> ModelRun::inputs(const Feeds& feeds, bool past_is_held) {
  check_feeds(graph_, feeds);
  extents_ = extents_of(feeds);
  tables_.trim();
  std::vector<Tensor> tensors;
  for (const OnnxInput& each : inputs_) {
    const bool held = past_is_held && each.source == OnnxInput::Source::state;
    tensors.push_back(held ? Tensor() : input(each, feeds));
  }
  return tensors;
}

Tensor ModelRun::state(const OnnxInput& input, const Feeds& feeds) const {
  return slots_->by_heads(feeds.slots, input.of, input.shape.dims[1].number()).to(input.dtype);
}

Tensor ModelRun::input(const OnnxInput& input, const Feeds& feeds) {
  switch (input.source) {
    case OnnxInput::Source::feed: {
      const Tensor& given = feeds.tensors.find(input.of)->second;
      return ragged_ == Ragged::rows ? given : pad(given, graph_.find_input(input.of)->type.shape, feeds.extents);
    }
    case OnnxInput::Source::table: return table(input, extents_);
    case OnnxInput::Source::state: return state(input, feeds);
    case OnnxInput::Source::mask: return mask_of(input.of, extents_);
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
  for (const Node* state : states_) tensors.emplace_back(DType::f32, padded_dims(added_shape(*state), extents));
  return tensors;
}

Outputs ModelRun::named(std::vector<Tensor> outputs, const Feeds& feeds, std::shared_ptr<const KeptPast> present) {
  Outputs named;
  const std::size_t own = graph_.outputs().size();
  for (std::size_t i = 0; i < own; ++i) {
    const Graph::Output& output = graph_.outputs()[i];
    const Shape& shape = graph_.node(output.value).type.shape;
    named[output.name] = ragged_ == Ragged::rows ? std::move(outputs[i]) : unpad(outputs[i], shape, feeds.extents);
  }
  if (!slots_) return named;
  const std::vector<std::int64_t>& counts = feeds.extents.lengths("tokens");
  for (std::size_t i = 0; i < states_.size(); ++i) {
    const Tensor rows = unpad(outputs[own + i], added_shape(*states_[i]), feeds.extents);
    slots_->append(feeds.slots, counts, states_[i]->name, rows);
  }
  slots_->grow(feeds.slots, counts);
  slots_->keep(feeds.slots, std::move(present));
  return named;
}

}  // namespace accelerate::lowering
