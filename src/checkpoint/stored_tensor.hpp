// A tensor as it lies in a file of weights, whatever the file's format.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "accelerate/tensor.hpp"
#include "checkpoint/encoding.hpp"
#include "core/file.hpp"

namespace accelerate {

struct StoredTensor {
  std::string name;
  std::string name_in_file;  // where the file has another one; else empty
  std::string type;          // the file's own word for the element type: "F32", "BF16", "F8_E4M3", "Q4_1", ...
  bool readable = true;      // false where the library cannot compute with the type (8-bit and smaller floats, complex)
  Encoding encoding;         // u8 and without meaning when not readable
  Dims dims;
  bool transposed = false;                 // bytes lie row-major in the reversed dims
  std::span<const std::byte> bytes;        // need not be aligned to the element size
  std::shared_ptr<const MappedFile> file;  // null when parsed from memory

  // Error{unsupported} naming tensor and type unless readable.
  void require_readable() const;
  // A view that keeps the file mapped, in the stored dtype; a copy in f32 where the bytes are not the values in the
  // order of dims. Error{unsupported} unless readable.
  Tensor tensor() const;
  // "model.safetensors: tensor "encoder.weight"", by the file's name for it.
  std::string where() const;
};

// The values of a matrix stored with its dimensions reversed, f32.
Tensor transposed_copy(const Tensor& stored);

}  // namespace accelerate
