// Any bytes as a safetensors file: an Error or a file whose tensors lie wholly inside it, never a crash.
// Layers: core checkpoint
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>

#include "checkpoint/safetensors.hpp"

namespace {

using accelerate::SafetensorsFile;
using accelerate::StoredTensor;

// What was promised to whoever reads the tensors.
void check(const SafetensorsFile& file, std::span<const std::byte> bytes) {
  std::size_t sum = 0;
  for (const StoredTensor& tensor : file.tensors()) {
    const bool inside =
        tensor.bytes.data() >= bytes.data() && tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size();
    if (!inside || file.find(tensor.name) != &tensor) std::abort();
    sum += tensor.bytes.size();
    if (tensor.readable && tensor.tensor().bytes().size() != tensor.bytes.size()) std::abort();
  }
  if (sum != static_cast<std::size_t>(file.data_bytes()) || sum > bytes.size()) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try {
    check(SafetensorsFile::parse(bytes, "fuzz"), bytes);
  } catch (const accelerate::Error& error) {
    if (error.kind() == accelerate::ErrorKind::internal) std::abort();
  }
  return 0;
}
