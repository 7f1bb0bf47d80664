// Any text as a config: an Error or values in range, and what parses is the same after it was written and read again.
// Layers: core checkpoint
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "checkpoint/config.hpp"

namespace {

using accelerate::Config;
using accelerate::Error;
using accelerate::Json;

template <typename Call>
void attempt(const Call& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.kind() == accelerate::ErrorKind::internal || error.where().empty()) std::abort();
  }
}

void read_fields(const Config& config, int depth) {
  attempt([&] { config.model_type(); });
  attempt([&] { config.architectures(); });
  attempt([&] { config.labels(); });
  attempt([&] { config.dtype(); });
  attempt([&] {
    const std::int64_t size = config.size({"hidden_size", "n_embd", "dim"});
    if (size < 1 || size > Config::kLargestSize) std::abort();
  });
  attempt([&] {
    const double epsilon = config.number_or({"layer_norm_eps"}, 1e-12, 0, 1);
    if (!(epsilon >= 0 && epsilon <= 1)) std::abort();
  });
  attempt([&] { config.get<accelerate::Dims>("sizes", {}); });
  attempt([&] { config.get<bool>("tie_word_embeddings", true); });
  attempt([&] {
    if (depth > 0) read_fields(config.child("text_config"), depth - 1);
  });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  attempt([&] {
    const Json json = Json::parse({reinterpret_cast<const char*>(data), size}, "fuzz");
    const std::string text = json.dump();
    if (Json::parse(text, "written").dump() != text) std::abort();
    if (Json::parse(json.dump(2), "indented").dump() != text) std::abort();
    read_fields(Config(json, "fuzz"), 3);
  });
  return 0;
}
