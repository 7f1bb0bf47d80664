// Any bytes are either a regular expression or a schema whose texts can be walked, or an Error.
// Layers: decoding text checkpoint core
// The first byte chooses: "{" begins a schema, anything else stands before an expression.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "decoding/constraint/expression.hpp"
#include "decoding/constraint/machine.hpp"
#include "decoding/constraint/schema.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace accelerate;
  using namespace accelerate::decoding::constraint;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (bytes.empty()) return 0;
  const bool is_schema = bytes[0] == '{';
  try {
    const auto automaton =
        std::make_shared<const Automaton>(is_schema ? schema_automaton(bytes) : regex_automaton(bytes.substr(1)));
    Machine machine(automaton);
    // The first byte that may follow, each time: only what can be completed is ever begun.
    std::string text;
    Machine::Config at = machine.start();
    for (int i = 0; i < 300; ++i) {
      unsigned byte = 0;
      while (byte < 256 && machine.step(at, static_cast<std::uint8_t>(byte)) == Machine::kDead) ++byte;
      if (byte == 256) {
        if (!machine.accepts(at)) std::abort();
        break;
      }
      text += static_cast<char>(byte);
      at = machine.step(at, static_cast<std::uint8_t>(byte));
      if (is_schema && machine.accepts(at)) Json::parse(text, "generated");
    }
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::internal || error.where() == "generated") std::abort();
  }
  return 0;
}
