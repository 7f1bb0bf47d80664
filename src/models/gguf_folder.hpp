// A GGUF file as the folder of Transformers that it was made from: config, small files, tensors under their names.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "text/tokenizer.hpp"

namespace accelerate {

// config.json. Error{corrupted} when the metadata lacks a field or has one of another kind, Error{unsupported} naming
// an architecture, a list with one number a layer, or a scaling of positions that is not known.
Json gguf_config(const GgufFile& file);

// The other small files: tokenizer_config.json with the special tokens, the longest input and the chat template;
// generation_config.json with the ids that begin and end a text. The vocabulary is not in them: text/ reads it.
using GgufSmallFiles = std::map<std::string, Json, std::less<>>;
GgufSmallFiles gguf_small_files(const GgufFile& file);

// All tensors, under the names of the folder where the architecture's table has one, with what the converter did to
// them in their encoding. Error{corrupted} when two get one name, or when rows cannot be those of so many heads.
std::vector<StoredTensor> gguf_tensors(const GgufFile& file);

// All of it. Errors of GgufFile::open and of the above.
Checkpoint open_gguf(const std::filesystem::path& path);

// Errors of text::Tokenizer::from_gguf and of the above.
text::Tokenizer gguf_tokenizer(const GgufFile& file);

}  // namespace accelerate
