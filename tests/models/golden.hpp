// Golden folders as tests read them: cases, their tensors, and inputs as a graph takes them.
#pragma once

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "checkpoint/config.hpp"
#include "checkpoint/safetensors.hpp"
#include "graph/feeds.hpp"

namespace accelerate {

inline std::filesystem::path goldens_folder() {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "models";
}
// Models that generate text.
inline std::filesystem::path decoders_folder() {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "decoders";
}

// Those with an encoder for what they read.
inline std::filesystem::path text_to_text_folder() {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "text_to_text";
}

// Names of the folders, sorted.
inline std::vector<std::string> golden_names(const std::filesystem::path& goldens = goldens_folder()) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(goldens)) {
    if (std::filesystem::exists(entry.path() / "golden" / "cases.json")) names.push_back(entry.path().filename());
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct GoldenCase {
  std::string name;
  std::map<std::string, Tensor, std::less<>> inputs, outputs;  // without "inputs." and "outputs."
  std::int64_t prompt_length = 0;
};

inline std::vector<GoldenCase> golden_cases(const std::filesystem::path& folder) {
  std::vector<GoldenCase> cases;
  const Config file = Config::read(folder / "golden" / "cases.json");
  for (const Json& item : file.json().at("cases").items()) {
    const Config entry(item, file.where());
    GoldenCase one{.name = entry.require<std::string>("name")};
    if (const auto settings = entry.find_child("settings")) {
      one.prompt_length = settings->get<std::int64_t>("prompt_length", 0);
    }
    const SafetensorsFile tensors = SafetensorsFile::open(folder / entry.child("tensors").require<std::string>("file"));
    for (const StoredTensor& stored : tensors.tensors()) {
      const bool input = stored.name.starts_with("inputs.");
      (input ? one.inputs : one.outputs)[stored.name.substr(stored.name.find('.') + 1)] = stored.tensor();
    }
    cases.push_back(std::move(one));
  }
  return cases;
}

// The columns of a padded batch that are rows of a run: all up to an item's last token, and which of them are tokens.
struct Columns {
  std::vector<std::vector<std::int64_t>> of_item;
  std::vector<std::uint8_t> seen;  // [rows]
};

inline Columns columns_of(const GoldenCase& one) {
  const Tensor& ids = one.inputs.at("input_ids");
  const auto mask = one.inputs.find("attention_mask");
  Columns columns{std::vector<std::vector<std::int64_t>>(static_cast<std::size_t>(ids.dim(0))), {}};
  for (std::int64_t item = 0; item < ids.dim(0); ++item) {
    std::vector<std::int64_t>& rows = columns.of_item[static_cast<std::size_t>(item)];
    for (std::int64_t column = 0; column < ids.dim(1); ++column) {
      const auto at = static_cast<std::size_t>(item * ids.dim(1) + column);
      if (mask != one.inputs.end() && mask->second.as<std::int64_t>()[at] == 0) continue;
      while (static_cast<std::int64_t>(rows.size()) < column) {
        columns.seen.push_back(0);
        rows.push_back(static_cast<std::int64_t>(rows.size()));
      }
      columns.seen.push_back(1);
      rows.push_back(column);
    }
  }
  return columns;
}

// Those columns of a padded [batch, columns, ...] tensor: [rows, ...].
inline Tensor without_padding(const Tensor& padded, const Columns& columns) {
  std::int64_t rows = 0;
  for (const auto& item : columns.of_item) rows += static_cast<std::int64_t>(item.size());
  Dims dims{rows};
  dims.insert(dims.end(), padded.dims().begin() + 2, padded.dims().end());
  Tensor result(padded.dtype(), dims);
  const std::size_t size = rows == 0 ? 0 : result.bytes().size() / static_cast<std::size_t>(rows);
  std::size_t row = 0;
  for (std::size_t item = 0; item < columns.of_item.size(); ++item) {
    for (const std::int64_t column : columns.of_item[item]) {
      const std::size_t from = item * static_cast<std::size_t>(padded.dim(1)) + static_cast<std::size_t>(column);
      const std::span<const std::byte> source = padded.bytes().subspan(from * size, size);
      std::copy(source.begin(), source.end(), result.bytes().begin() + static_cast<std::ptrdiff_t>(row++ * size));
    }
  }
  return result;
}

// A missing input as its rule makes it, on the padded batch.
inline Tensor filled(const InputRule& rule, const Tensor& ids, const std::int64_t* mask) {
  Tensor result(DType::i64, ids.dims());
  const std::span<std::int64_t> out = result.as<std::int64_t>();
  for (std::int64_t item = 0; item < ids.dim(0); ++item) {
    std::int64_t count = rule.offset;
    for (std::int64_t column = 0; column < ids.dim(1); ++column) {
      const auto at = static_cast<std::size_t>(item * ids.dim(1) + column);
      if (rule.fill == InputRule::Fill::columns) out[at] = column;
      if (rule.fill == InputRule::Fill::rows) out[at] = mask == nullptr || mask[at] != 0 ? count++ : rule.offset;
      if (rule.fill == InputRule::Fill::columns_after_padding) {
        const bool padding = ids.as<std::int64_t>()[at] == rule.padding_id;
        out[at] = rule.padding_id + (padding ? 0 : ++count);
      }
    }
  }
  return result;
}

// Everything that the graph asks for.
inline Feeds feeds_of(const Graph& graph, const GoldenCase& one) {
  const Tensor& ids = one.inputs.at("input_ids");
  const Columns columns = columns_of(one);
  std::vector<std::int64_t> lengths;
  for (const auto& item : columns.of_item) lengths.push_back(static_cast<std::int64_t>(item.size()));
  Feeds feeds;
  feeds.extents.set_ragged("tokens", lengths);
  feeds.extents.set_seen("tokens", columns.seen);
  feeds.extents.set("selected", 0);
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input) continue;
    if (node.name == "prompt_length") {
      feeds.tensors[node.name] =
          Tensor::of<std::int64_t>({ids.dim(0)}, std::vector<std::int64_t>(columns.of_item.size(), one.prompt_length));
    } else if (node.name.starts_with("selected.")) {
      feeds.tensors[node.name] = Tensor(DType::i64, {0});
    } else {
      const auto given = one.inputs.find(node.name), mask = one.inputs.find("attention_mask");
      const std::int64_t* seen = mask == one.inputs.end() ? nullptr : mask->second.as<std::int64_t>().data();
      const bool as_given = given != one.inputs.end() && node.rule.offset == 0;
      const Tensor padded = as_given ? given->second : filled(node.rule, ids, seen);
      feeds.tensors[node.name] = without_padding(padded, columns);
    }
  }
  return feeds;
}

}  // namespace accelerate
