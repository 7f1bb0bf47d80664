// Any bytes are either JSON, which then survives being written and read again, or an Error{corrupted}.
// Layers: core
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using accelerate::Json;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const std::string once = Json::parse(text, "fuzz").dump();
    const std::string twice = Json::parse(once, "what dump() wrote").dump();
    if (once != twice) std::abort();
    if (Json::parse(Json::parse(once, "").dump(2), "indented").dump() != once) std::abort();
  } catch (const accelerate::Error& error) {
    if (error.kind() != accelerate::ErrorKind::corrupted || error.where() != "fuzz") std::abort();
  }
  return 0;
}
