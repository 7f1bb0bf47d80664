// GGUF files written by hand, right or wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate {

template <typename T>
std::string little_endian(T value) {
  std::string bytes;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    bytes += static_cast<char>(static_cast<std::uint64_t>(value) >> (8 * i) & 0xff);
  }
  return bytes;
}

inline std::string gguf_string(std::string_view text) {
  return little_endian(std::uint64_t{text.size()}) + std::string(text);
}

// What a file says; each part may be made to lie.
struct GgufBytes {
  struct Tensor {
    std::string name;
    std::vector<std::uint64_t> dims;  // as the file has them, the innermost first
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
  };
  std::string magic = "GGUF";
  std::uint32_t version = 3;
  std::vector<std::string> fields;  // encoded, as field() makes them
  std::vector<Tensor> tensors;
  std::uint64_t more_fields = 0, more_tensors = 0;  // that are counted and not there
  std::size_t data = 0;                             // bytes of zeros behind the header
  std::size_t alignment = 32;

  // Kinds of values: 4 u32, 6 f32, 7 boolean, 8 string, 9 list, 10 u64, ...
  static std::string field(std::string_view key, std::uint32_t kind, const std::string& value) {
    return gguf_string(key) + little_endian(kind) + value;
  }
  static std::string text(std::string_view key, std::string_view value) { return field(key, 8, gguf_string(value)); }
  static std::string number(std::string_view key, std::uint32_t value) { return field(key, 4, little_endian(value)); }

  std::string bytes() const {
    std::string out = magic + little_endian(version) + little_endian(tensors.size() + more_tensors) +
                      little_endian(fields.size() + more_fields);
    for (const std::string& field : fields) out += field;
    for (const Tensor& tensor : tensors) {
      out += gguf_string(tensor.name) + little_endian(static_cast<std::uint32_t>(tensor.dims.size()));
      for (const std::uint64_t dim : tensor.dims) out += little_endian(dim);
      out += little_endian(tensor.type) + little_endian(tensor.offset);
    }
    if (data == 0) return out;
    out.append((alignment - out.size() % alignment) % alignment, '\0');
    return out + std::string(data, '\0');
  }
};

}  // namespace accelerate
