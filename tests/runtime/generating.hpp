// What tests of generated texts share.
#pragma once

#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "backends/backend.hpp"

namespace accelerate {

using Ids = std::vector<std::int32_t>;

// Of all texts, one after the other.
inline std::vector<Ids> ids_of(const Generations& found) {
  std::vector<Ids> ids;
  for (const auto& texts : found.texts) {
    for (const GeneratedText& text : texts) ids.push_back(text.ids);
  }
  return ids;
}

// So many tokens, whatever the folder asks for.
inline GenerateOptions greedy(std::size_t tokens) {
  return {.max_new_tokens = tokens, .do_sample = false, .repetition_penalty = 1, .num_beams = 1, .ignore_eos = true};
}

inline std::vector<std::string> devices_here() {
  std::vector<std::string> names;
  for (const auto& backend : backends()) {
    if (!backend->devices().empty()) names.emplace_back(backend->name());
  }
  return names;
}

}  // namespace accelerate
