// How the names and numbers of a GGUF file are those of a folder of Transformers: a table, one row an architecture.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace accelerate {

// What the converter for llama.cpp did to a tensor, to be undone.
enum class GgufChange : std::uint8_t {
  none,
  query_rows,  // rows of each head take turns, Encoding::alternating_heads, with as many heads as queries have
  key_rows,    // the same, with as many as keys have
  added_one,   // to each value
  transposed,  // rows and columns of the matrix; vectors of that name are as they were
  stacked,     // one matrix behind the other, each under the name with its number in the place of @
};

// Without ".weight" or ".bias"; # is the number of a layer: "blk.#.attn_q", "model.layers.#.self_attn.q_proj". @ is the
// number of a matrix of those that are stacked.
struct GgufName {
  std::string_view stored, name;
  GgufChange change = GgufChange::none;
};

// A metadata field, without the architecture in front, and the field of config.json: "block_count",
// "num_hidden_layers".
struct GgufField {
  std::string_view key, name;
};

struct GgufArchitecture {
  std::string_view name;  // general.architecture
  std::string_view model_type, class_name;
  std::string_view constants;  // fields of config.json that the file leaves out because they are always so, as JSON
  std::span<const GgufField> fields;
  std::span<const std::span<const GgufName>> names;
  bool rotary = true;  // heads are turned by positions
  // Where queries have a scalar of their own: that of the model with so many layers is hidden_size / heads, that of
  // others head_dim, as llama.cpp knows them; files do not say. 0: no such scalar.
  std::int64_t layers_of_largest = 0;
  bool merges_by_id = false;  // text::Tokenizer::from_gguf
  bool experts = false;       // the files of that name whose feed forwards are mixtures of experts
};

// Null for one that is not known. `experts`: of a file whose expert_count is not 0.
const GgufArchitecture* gguf_architecture(std::string_view name, bool experts = false);
std::span<const GgufArchitecture> gguf_architectures();

}  // namespace accelerate
