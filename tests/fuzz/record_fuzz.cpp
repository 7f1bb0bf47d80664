// Any text as an exported record: an Error that a person can read, or a record that is the same after it was written
// and read again.
// Layers: records hardware backends lowering graph checkpoint core
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "core/json.hpp"
#include "records/record_json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace accelerate;
  try {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const records::Record record = records::record_from(Json::parse(text, "fuzz"));
    const std::string written = records::to_json(record).dump();
    if (records::to_json(records::record_from(Json::parse(written, "written"))).dump() != written) std::abort();
  } catch (const Error& error) {
    const bool expected = error.kind() == ErrorKind::invalid_input || error.kind() == ErrorKind::corrupted ||
                          error.kind() == ErrorKind::unsupported;
    if (!expected || error.message().empty()) std::abort();
  }
  return 0;
}
