// A BERT of any size that takes no room on disk: a sparse file of zeros.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {

struct Entry {
  std::string name;
  std::vector<std::int64_t> dims;
};

inline std::vector<Entry> bert_tensors(std::int64_t hidden, std::int64_t layers, std::int64_t vocabulary) {
  const std::int64_t wide = 4 * hidden;
  std::vector<Entry> all = {{"embeddings.word_embeddings.weight", {vocabulary, hidden}},
                            {"embeddings.position_embeddings.weight", {512, hidden}},
                            {"embeddings.token_type_embeddings.weight", {2, hidden}},
                            {"embeddings.LayerNorm.weight", {hidden}},
                            {"embeddings.LayerNorm.bias", {hidden}}};
  const auto linear = [&all](const std::string& name, std::int64_t out, std::int64_t in) {
    all.push_back({name + ".weight", {out, in}});
    all.push_back({name + ".bias", {out}});
  };
  for (std::int64_t i = 0; i < layers; ++i) {
    const std::string layer = "encoder.layer." + std::to_string(i) + ".";
    for (const char* name : {"query", "key", "value"}) linear(layer + "attention.self." + name, hidden, hidden);
    linear(layer + "attention.output.dense", hidden, hidden);
    all.push_back({layer + "attention.output.LayerNorm.weight", {hidden}});
    all.push_back({layer + "attention.output.LayerNorm.bias", {hidden}});
    linear(layer + "intermediate.dense", wide, hidden);
    linear(layer + "output.dense", hidden, wide);
    all.push_back({layer + "output.LayerNorm.weight", {hidden}});
    all.push_back({layer + "output.LayerNorm.bias", {hidden}});
  }
  linear("pooler.dense", hidden, hidden);
  return all;
}

// Only the header takes room on disk.
inline std::int64_t write_sparse(const std::filesystem::path& path, const std::vector<Entry>& tensors) {
  std::string header = "{";
  std::int64_t offset = 0;
  for (const Entry& entry : tensors) {
    std::int64_t bytes = 4;
    std::string shape;
    for (const std::int64_t dim : entry.dims) {
      bytes *= dim;
      shape += (shape.empty() ? "" : ",") + std::to_string(dim);
    }
    header += (header.size() > 1 ? ",\"" : "\"") + entry.name + "\":{\"dtype\":\"F32\",\"shape\":[" + shape +
              "],\"data_offsets\":[" + std::to_string(offset) + "," + std::to_string(offset + bytes) + "]}";
    offset += bytes;
  }
  header += "}";
  while (header.size() % 8 != 0) header += ' ';
  std::string length(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  write(path, length + header);
  std::filesystem::resize_file(path, 8 + header.size() + static_cast<std::size_t>(offset));
  return offset;
}

// In `folder`; returns its model folder. Heads are of 64, texts of 512 tokens at most.
inline std::filesystem::path sparse_bert(const Folder& folder, std::int64_t hidden, std::int64_t layers,
                                         std::int64_t vocabulary) {
  const std::filesystem::path model = copy_of("bert", folder);
  write_sparse(model / "model.safetensors", bert_tensors(hidden, layers, vocabulary));
  Json config = Json::parse(read(model / "config.json"), "config.json");
  config.set("hidden_size", hidden).set("intermediate_size", 4 * hidden).set("num_hidden_layers", layers);
  config.set("num_attention_heads", hidden / 64).set("vocab_size", vocabulary).set("max_position_embeddings", 512);
  write(model / "config.json", config.dump());
  return model;
}

}  // namespace accelerate::cli::test
