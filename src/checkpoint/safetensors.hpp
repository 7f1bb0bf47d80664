// Safetensors files: opened by memory map, every offset checked before a byte of data is looked at.
//
// Format: that of the safetensors library (8 bytes little-endian header length, JSON header, data).
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "accelerate/tensor.hpp"
#include "checkpoint/stored_tensor.hpp"
#include "core/file.hpp"

namespace accelerate {

using Metadata = std::map<std::string, std::string>;

class SafetensorsFile {
 public:
  // Maps the file and reads its header only. Error{not_found} when it cannot be read, Error{corrupted} naming the file,
  // the tensor, what was found and what was expected when the header contradicts the format or itself: truncated,
  // longer than the file or than 100 MB, not JSON, offsets that overlap, leave holes, or disagree with shape and type.
  // Error{unsupported} on an element type the format does not know.
  static SafetensorsFile open(const std::filesystem::path& path);
  // The same from bytes in memory, which must outlive the result and its tensors. `where` is named in errors.
  static SafetensorsFile parse(std::span<const std::byte> bytes, std::string_view where);

  // In the order of the data.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }
  // Null when there is none of that name.
  const StoredTensor* find(std::string_view name) const;
  // The header's "__metadata__".
  const Metadata& metadata() const { return metadata_; }
  // Bytes of all tensors.
  std::int64_t data_bytes() const { return data_bytes_; }

 private:
  SafetensorsFile() = default;
  static SafetensorsFile parse(std::span<const std::byte> bytes, std::string_view where,
                               std::shared_ptr<const MappedFile> file);

  std::vector<StoredTensor> tensors_;
  std::vector<std::uint32_t> by_name_;  // indices into tensors_, sorted by name
  Metadata metadata_;
  std::int64_t data_bytes_ = 0;
};

// Writes tensors in the given order, the header padded so that data starts at a multiple of 8 bytes. Nothing is left
// behind on failure. Error{invalid_input} on a duplicate or reserved name or an unwritable target.
void write_safetensors(const std::filesystem::path& path, const std::vector<std::pair<std::string, Tensor>>& tensors,
                       const Metadata& metadata = {});

}  // namespace accelerate
