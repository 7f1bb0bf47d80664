#include "cli/run_tensors.hpp"

#include "checkpoint/safetensors.hpp"

namespace accelerate::cli {
namespace {

constexpr std::string_view kPrefix = "inputs.";

std::string prompt_text(const ModelInfo& info, const RunCommand& command) {
  const std::string name = command.prompt.value_or(info.default_prompt);
  if (name.empty() && !command.prompt) return {};
  const auto found = info.prompts.find(name);
  if (found != info.prompts.end()) return found->second;
  std::string known;
  for (const auto& [each, text] : info.prompts) known += (known.empty() ? "" : ", ") + each;
  throw Error(ErrorKind::invalid_input, known.empty() ? "this folder has no prompts" : "there are " + known,
              "--prompt " + name);
}

// Pooling may leave the prompt out: its tokens with the special ones before it, without the one after it.
Tensor prompt_lengths(const Model& model, const std::string& prompt, std::int64_t rows) {
  const auto last_and_length = [&model](const std::string& text) {
    const ModelInputs made = model.encode(std::vector{text});
    const auto ids = made.tensors.at("input_ids").as<std::int64_t>();
    return std::pair(ids.empty() ? -1 : ids.back(), static_cast<std::int64_t>(ids.size()));
  };
  const auto [last, length] = last_and_length(prompt);
  const bool ends_special = last == last_and_length("").first;
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(rows), length - (ends_special ? 1 : 0));
  return Tensor::of<std::int64_t>({rows}, lengths);
}

}  // namespace

NamedTensors read_inputs(const std::string& path) {
  const SafetensorsFile file = SafetensorsFile::open(path);
  bool prefixed = false;
  for (const StoredTensor& tensor : file.tensors()) prefixed |= tensor.name.starts_with(kPrefix);
  NamedTensors inputs;
  for (const StoredTensor& tensor : file.tensors()) {
    if (prefixed && !tensor.name.starts_with(kPrefix)) continue;
    inputs.emplace(prefixed ? tensor.name.substr(kPrefix.size()) : tensor.name, tensor.tensor());
  }
  if (inputs.empty()) throw Error(ErrorKind::invalid_input, "holds no tensors", path);
  return inputs;
}

ModelInputs encode_items(const Model& model, const RunCommand& command, std::span<const TextItem> items,
                         const BatchOptions& batch) {
  if (items.front().pair) {
    std::vector<TextPair> pairs;
    for (const TextItem& item : items) pairs.push_back({item.text, item.pair.value_or("")});
    return model.encode(pairs, batch);
  }
  const std::string prompt = prompt_text(model.info(), command);
  std::vector<std::string> texts;
  for (const TextItem& item : items) texts.push_back(prompt + item.text);
  ModelInputs inputs = model.encode(texts, batch);
  if (!prompt.empty()) {
    inputs.tensors.emplace("prompt_length", prompt_lengths(model, prompt, static_cast<std::int64_t>(items.size())));
  }
  return inputs;
}

void save_tensors(const std::string& path, const NamedTensors& outputs, const NamedTensors& inputs) {
  std::vector<std::pair<std::string, Tensor>> all;
  for (const auto& [name, tensor] : inputs) all.emplace_back(std::string(kPrefix) + name, tensor);
  for (const auto& [name, tensor] : outputs) all.emplace_back(name, tensor);
  write_safetensors(path, all, {{"format", "pt"}});
}

}  // namespace accelerate::cli
