// Reading golden files, and the model that they were made with.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "decoding/settings.hpp"

namespace accelerate::decoding {

inline std::filesystem::path goldens() { return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens"; }

inline std::vector<Json> lines_of(const std::filesystem::path& path) {
  std::vector<Json> rows;
  std::ifstream file(path);
  EXPECT_TRUE(file) << path;
  for (std::string line; std::getline(file, line);) rows.push_back(Json::parse(line, path.string()));
  return rows;
}

inline std::vector<std::int32_t> integers(const Json& json) {
  std::vector<std::int32_t> out;
  for (const Json& value : json.items()) out.push_back(static_cast<std::int32_t>(value.as_int()));
  return out;
}

// null stands for -inf.
inline std::vector<float> floats(const Json& json) {
  std::vector<float> out;
  for (const Json& value : json.items()) {
    out.push_back(value.is_null() ? -std::numeric_limits<float>::infinity() : static_cast<float>(value.as_double()));
  }
  return out;
}

inline GenerationSettings settings_from(const Json& json) {
  return settings_of(Config(json, "settings"), Config(Json::object(), "config.json"));
}

// Its logits are a hash of the last two tokens and the length (tools/make_decoding_goldens.py, logits_of).
struct HashModel {
  std::uint64_t seed = 0;
  std::size_t vocabulary = 0;
  std::vector<std::int32_t> boosted;
  float boost = 0;

  std::vector<float> logits(const std::vector<std::int32_t>& tokens) const {
    const auto at = [&](std::size_t from_end) {
      return tokens.size() < from_end ? 0 : static_cast<std::uint64_t>(tokens[tokens.size() - from_end]);
    };
    const std::uint64_t key = seed * 0x9E3779B97F4A7C15 + at(2) * 0xC2B2AE3D27D4EB4F + at(1) * 0x165667B19E3779F9 +
                              tokens.size() * 0x27D4EB2F165667C5;
    std::vector<float> out(vocabulary);
    for (std::size_t token = 0; token < vocabulary; ++token) {
      std::uint64_t x = key + token * 0xD6E8FEB86659FD93;
      x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9;
      x = (x ^ (x >> 27)) * 0x94D049BB133111EB;
      x ^= x >> 31;
      out[token] = static_cast<float>(x >> 40) * 0x1.0p-21f - 4;
    }
    for (const std::int32_t token : boosted) out[static_cast<std::size_t>(token)] += boost;
    return out;
  }
};

}  // namespace accelerate::decoding
