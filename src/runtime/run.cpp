#include <algorithm>

#include "runtime/tasks.hpp"

namespace accelerate::runtime {
namespace {

bool is_hidden_state(const std::string& name) { return name.starts_with("hidden_states."); }

std::vector<std::string> wanted_outputs(const ModelInfo& info, const RunOptions& options) {
  if (options.outputs.empty()) {
    std::vector<std::string> wanted;
    for (const std::string& name : info.outputs) {
      if (options.layers || !is_hidden_state(name)) wanted.push_back(name);
    }
    return wanted;
  }
  std::vector<std::string> wanted = options.outputs;
  for (const std::string& name : options.outputs) {
    if (std::ranges::find(info.outputs, name) != info.outputs.end()) continue;
    std::string known;
    for (const std::string& one : info.outputs) known += (known.empty() ? "" : ", ") + one;
    throw Error(ErrorKind::invalid_input, "there are " + known, "output \"" + name + "\"");
  }
  for (const std::string& name : info.outputs) {
    const bool asked = std::ranges::find(wanted, name) != wanted.end();
    if (options.layers && is_hidden_state(name) && !asked) wanted.push_back(name);
  }
  return wanted;
}

// Zeros, which is what padding keeps.
NamedTensors padded_outputs(const Graph& graph, std::int64_t batch, std::int64_t columns) {
  NamedTensors outputs;
  for (const Graph::Output& output : graph.outputs()) {
    const Shape& shape = graph.node(output.value).type.shape;
    Dims dims{batch};
    if (shape.ragged) dims.push_back(columns);
    for (std::size_t axis = dims.size(); axis < shape.rank(); ++axis) dims.push_back(shape.dims[axis].number());
    outputs[output.name] = Tensor(DType::f32, std::move(dims));
  }
  return outputs;
}

Tensor padded(std::span<const std::vector<std::int32_t>> rows, std::size_t columns, std::int64_t fill, bool left) {
  Tensor tensor(DType::i64, {static_cast<std::int64_t>(rows.size()), static_cast<std::int64_t>(columns)});
  const std::span<std::int64_t> values = tensor.as<std::int64_t>();
  std::ranges::fill(values, fill);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::size_t first = i * columns + (left ? columns - rows[i].size() : 0);
    std::ranges::copy(rows[i], values.begin() + static_cast<std::ptrdiff_t>(first));
  }
  return tensor;
}

}  // namespace

NamedTensors run(const LoadedModel& model, const NamedTensors& inputs, const RunOptions& options) {
  const std::shared_ptr<CompiledGraph> compiled = model.compiled(wanted_outputs(model.info(), options));
  const Graph& graph = compiled->graph();
  std::vector<Item> items = items_of(graph, inputs);
  const Dims& dims = inputs.find("input_ids")->second.dims();
  NamedTensors outputs = padded_outputs(graph, dims[0], dims[1]);
  for_each_batch(std::move(items), compiled->run_cost(), options.batch, [&](std::span<const Item> batch) {
    const Outputs rows = compiled->run(feeds_of(graph, batch), options.batch.cancellation);
    for (const Graph::Output& output : graph.outputs()) {
      const bool ragged = graph.node(output.value).type.shape.ragged;
      place_rows(rows.at(output.name), ragged, batch, outputs[output.name]);
    }
  });
  return outputs;
}

ModelInputs encode(const LoadedModel& model, std::span<const TextView> texts, const BatchOptions& options) {
  const TextProcessor& processor = model.processor();
  const text::Tokenizer& tokenizer = processor.tokenizer();
  const TokenizedTexts tokenized = processor.ids_of(texts, options);
  std::size_t columns = 0;
  std::vector<std::vector<std::int32_t>> masks;
  for (const std::vector<std::int32_t>& ids : tokenized.ids) {
    columns = std::max(columns, ids.size());
    masks.emplace_back(ids.size(), 1);
  }
  const bool left = tokenizer.padding_side() == text::Side::left;
  ModelInputs inputs;
  inputs.truncated = tokenized.truncated;
  inputs.tensors["input_ids"] = padded(tokenized.ids, columns, tokenizer.special_tokens().pad.value_or(0), left);
  inputs.tensors["attention_mask"] = padded(masks, columns, 0, left);
  if (model.definition().program.graph(kEncode).find_input("token_type_ids") != nullptr) {
    inputs.tensors["token_type_ids"] = padded(tokenized.type_ids, columns, tokenizer.pad_type_id(), left);
  }
  return inputs;
}

}  // namespace accelerate::runtime
