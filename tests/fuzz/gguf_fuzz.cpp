// Any bytes as a GGUF file: an Error, or a file whose tensors lie wholly inside it, that becomes a folder and a
// tokenizer, or an Error again; never a crash.
// Layers: models graph text checkpoint core
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <span>
#include <string_view>

#include "models/gguf_folder.hpp"
#include "text/tokenizer.hpp"

namespace {

using accelerate::Error;
using accelerate::GgufFile;
using accelerate::StoredTensor;

template <typename Call>
void try_to(Call&& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.kind() == accelerate::ErrorKind::internal) std::abort();
  }
}

// What was promised to whoever reads the tensors.
void check(const StoredTensor& tensor, std::span<const std::byte> bytes) {
  const bool inside =
      tensor.bytes.empty() ||
      (tensor.bytes.data() >= bytes.data() && tensor.bytes.data() + tensor.bytes.size() <= bytes.data() + bytes.size());
  if (!inside) std::abort();
  try_to([&] {
    if (tensor.tensor().dims() != tensor.dims) std::abort();
  });
}

void read(const GgufFile& file, std::span<const std::byte> bytes) {
  for (const StoredTensor& tensor : file.tensors()) check(tensor, bytes);
  std::set<std::string_view> sections;
  for (const std::string_view key : file.keys()) sections.insert(key.substr(0, key.find('.')));
  for (const std::string_view section : sections) file.section(section);
  try_to([&] { gguf_config(file); });
  try_to([&] { gguf_small_files(file); });
  try_to([&] {
    for (const StoredTensor& tensor : gguf_tensors(file)) check(tensor, bytes);
  });
  try_to([&] {
    const auto tokenizer = accelerate::text::Tokenizer::from_gguf(file.section("tokenizer"));
    tokenizer.decode(tokenizer.encode_ids("Hello, w\xc3\xb6rld  1"));
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  try_to([&] { read(GgufFile::parse(bytes, "fuzz"), bytes); });
  return 0;
}
