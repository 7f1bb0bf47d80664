// Any text as a probing program's answer: an Error{corrupted}, or rows that are the same after they were written and
// read again, as the cache does it.
// Layers: hardware backends lowering graph checkpoint core
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "hardware/probe_program.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace accelerate;
  using namespace accelerate::hardware;
  try {
    const std::string text(reinterpret_cast<const char*>(data), size);
    const std::string written = to_json(answer_from(text)).dump();
    if (to_json(answer_from(written)).dump() != written) std::abort();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupted || error.message().empty()) std::abort();
  }
  return 0;
}
