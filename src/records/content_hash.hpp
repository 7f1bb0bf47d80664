// Which model a folder holds, whatever the folder is called: a SHA-256 over what decides its answers.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/error.hpp"

namespace accelerate::records {

// SHA-256 of a file in 64 hex digits, as sha256sum prints it. Streams through the mapped file and releases what was
// read. Errors as MappedFile::open's.
std::string sha256_of_file(const std::filesystem::path& path);
std::string sha256_of(std::string_view bytes);

// The files that count, relative to the folder and sorted: config.json, modules.json and weight files (*.safetensors,
// *.gguf) of the folder and of its direct sub-folders that have a config.json (sentence-transformers' modules).
// Error{not_found} where the folder has none.
std::vector<std::filesystem::path> hashed_files(const std::filesystem::path& folder);

// SHA-256 over the lines "PATH SHA256\n" of hashed_files(folder); of a GGUF file that of the file. Reads every weight:
// Records::content_hash remembers.
std::string content_hash(const std::filesystem::path& folder);
// The same with sums that are known: sum_of gives a file's.
using SumOf = std::function<std::string(const std::filesystem::path& file)>;
std::string content_hash(const std::filesystem::path& folder, const SumOf& sum_of);

}  // namespace accelerate::records
