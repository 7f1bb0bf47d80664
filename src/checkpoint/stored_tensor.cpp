#include "checkpoint/stored_tensor.hpp"

#include <algorithm>

namespace accelerate {

void StoredTensor::require_readable() const {
  if (readable) return;
  throw Error(ErrorKind::unsupported, "has elements of type " + type + ", which this version cannot compute with",
              where(),
              "use a copy of the model whose weights are float32, float16 or bfloat16, in a GGUF file also Q8_0, Q4_0 "
              "or Q4_1");
}

Tensor StoredTensor::tensor() const {
  require_readable();
  if (encoding.is_plain() && !transposed) return Tensor::view(encoding.dtype, dims, bytes, file);
  if (!transposed) return widened(encoding, dims, bytes, file);
  return transposed_copy(widened(encoding, {dims.rbegin(), dims.rend()}, bytes, file));
}

std::string StoredTensor::where() const {
  const std::string tensor = "tensor \"" + (name_in_file.empty() ? name : name_in_file) + "\"";
  return file == nullptr ? tensor : file->path().filename().string() + ": " + tensor;
}

Tensor transposed_copy(const Tensor& stored) {
  Tensor result(DType::f32, {stored.dim(1), stored.dim(0)});
  const std::span<const float> from = stored.as<float>();
  const std::span<float> to = result.as<float>();
  const auto rows = static_cast<std::size_t>(stored.dim(0)), columns = static_cast<std::size_t>(stored.dim(1));
  for (std::size_t r = 0; r < rows; ++r) {
    for (std::size_t c = 0; c < columns; ++c) to[c * rows + r] = from[r * columns + c];
  }
  return result;
}

}  // namespace accelerate
