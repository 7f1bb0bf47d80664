// GGUF files (versions 2 and 3): metadata and tensors of a model in one file, opened by memory map, everything checked
// before a byte of data is looked at.
//
// Format: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.hpp"
#include "checkpoint/stored_tensor.hpp"
#include "core/file.hpp"

namespace accelerate {

class GgufFile {
 public:
  // Maps the file and reads its header only. Error{not_found} when it cannot be read, Error{corrupted} naming the file,
  // the field or tensor, what was found and what was expected when the header contradicts the format or itself:
  // truncated, counts and lengths beyond the file, names twice, shapes that overflow or do not fill whole blocks, data
  // outside the file, not aligned or overlapping. Error{unsupported} on another version, the other byte order, and an
  // element type that is not known by number.
  static GgufFile open(const std::filesystem::path& path);
  // The same from bytes in memory, which must outlive the result and its tensors. `where` is named in errors.
  static GgufFile parse(std::span<const std::byte> bytes, std::string_view where);

  // As given to open(), or `where`.
  const std::string& path() const { return where_; }
  std::uint32_t version() const { return version_; }
  // In the order of the file, under the file's names, dimensions as Transformers orders them: rows first. Those of a
  // type that is known but not read (K-quants, ...) are not readable.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  // Null when there is none of that name.
  const StoredTensor* find(std::string_view name) const;

  // Keys of all metadata, in the order of the file.
  std::vector<std::string_view> keys() const;
  // The fields "SECTION.*", without that prefix, read when asked for: lists may be long. Errors of their reading name
  // the file and the whole key. Empty where there are none.
  Config section(std::string_view name) const;

 private:
  struct Field {
    std::string_view key;
    std::uint32_t kind = 0;
    std::span<const std::byte> value;
  };
  class Parser;
  GgufFile() = default;

  std::string where_;
  std::uint32_t version_ = 0;
  std::vector<Field> fields_;
  std::vector<StoredTensor> tensors_;
  std::vector<std::uint32_t> by_name_;  // indices into tensors_, sorted by name
  std::shared_ptr<const MappedFile> file_;
};

// Whether a model is given by such a file: one that is there and is named *.gguf.
bool is_gguf_file(const std::filesystem::path& path);

}  // namespace accelerate
