#include "runtime/model_facts.hpp"

#include <algorithm>

namespace accelerate::runtime {
namespace {

// "f32" of plain numbers, else the file's own word: "Q4_1".
std::string type_of(const StoredTensor& tensor) {
  const bool plain = tensor.readable && tensor.encoding.blocks == nullptr;
  return plain ? std::string(name_of(tensor.encoding.dtype)) : tensor.type;
}

std::vector<std::string> types_of(const Checkpoint& checkpoint) {
  std::map<std::string, std::size_t> bytes;
  for (const StoredTensor* tensor : checkpoint.tensors()) bytes[type_of(*tensor)] += tensor->bytes.size();
  std::vector<std::string> types;
  for (const auto& [type, count] : bytes) types.push_back(type);
  std::ranges::stable_sort(types, std::greater{}, [&](const std::string& type) { return bytes[type]; });
  return types;
}

}  // namespace

ModelInfo facts_of(const Checkpoint& checkpoint) {
  const Config& config = checkpoint.config();
  const std::vector<std::string> classes = config.architectures();
  ModelInfo info;
  info.folder = checkpoint.folder();
  info.architecture = classes.empty() ? "" : classes.front();
  info.model_type = config.model_type();
  info.parameters = checkpoint.parameter_count();
  info.weight_bytes = checkpoint.weight_bytes();
  info.dtypes = types_of(checkpoint);
  info.dtype = info.dtypes.empty() ? "" : info.dtypes.front();
  info.layers = config.size_or({"num_hidden_layers", "n_layer", "num_layers"}, 0, 0);
  info.hidden_size = config.size_or({"hidden_size", "n_embd", "d_model"}, 0, 0);
  info.heads = config.size_or({"num_attention_heads", "n_head", "num_heads"}, 0, 0);
  info.vocabulary = config.size_or({"vocab_size"}, 0, 0);
  info.max_tokens = config.size_or({"max_position_embeddings", "n_positions"}, 0, 0);
  return info;
}

}  // namespace accelerate::runtime
