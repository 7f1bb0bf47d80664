// Any bytes are either a template, which then renders or fails within its budget, or an Error.
// Layers: text checkpoint core
// The input is the template, a NUL, and its variables as JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "text/jinja/template.hpp"
#include "text/unicode.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace accelerate;
  constexpr std::string_view kChat =
      R"({"messages":[{"role":"user","content":"Hi <b>"},{"role":"assistant","content":[{"type":"text","text":"\u00e9"}],
"tool_calls":[{"function":{"name":"f","arguments":{"a":1.5,"b":[null,true]}}}]}],"tools":null,"bos_token":"<s>","n":-3})";
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const std::size_t end = bytes.find('\0');
  try {
    const auto parsed = text::jinja::Template::parse(bytes.substr(0, end), "fuzz");
    const Json variables = Json::parse(end == std::string_view::npos ? kChat : bytes.substr(end + 1), "fuzz");
    const std::string text = parsed.render(variables, {.most_steps = 100'000});
    if (text::find_invalid_utf8(text) != std::string::npos) std::abort();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal) std::abort();
  }
  return 0;
}
