// Any bytes are either a tokenizer.json, which then encodes and decodes any text, or an Error.
// Layers: text checkpoint core
// The input is the JSON, a NUL, and the text; a text that is no UTF-8 must be refused.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/tokenizer.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace accelerate;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  const std::string_view json = bytes.substr(0, end);
  const std::string_view text = end == std::string_view::npos ? "Hello, w\xc3\xb6rld  1" : bytes.substr(end + 1);
  try {
    const auto tokenizer = text::Tokenizer::from_json(Json::parse(json, "fuzz"), "fuzz");
    const text::TextInput inputs[] = {{text}, {text, "a pair"}};
    const auto rows = tokenizer.encode_ids(inputs);
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const text::Encoding encoding = tokenizer.encode_batch(std::span(inputs).subspan(i, 1)).front();
      if (!std::equal(encoding.ids.begin(), encoding.ids.end(), rows.row(i).begin(), rows.row(i).end())) std::abort();
      if (encoding.offsets.size() != encoding.ids.size() || encoding.tokens.size() != encoding.ids.size()) std::abort();
      tokenizer.decode(encoding.ids, i == 0);
    }
    text::EncodeOptions cut{.max_length = 8, .stride = 1, .file_truncation = true, .file_padding = true};
    // Each piece of one text goes with each of the other, so a short one is enough.
    tokenizer.encode(text, "a pair of \xe4\xbd\xa0\xe5\xa5\xbd and more", cut);
    cut.max_length.reset();
    tokenizer.encode(text, cut);
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
  return 0;
}
