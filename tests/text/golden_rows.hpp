// Reading golden files and saying what differs.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "text/tokenizer.hpp"

namespace accelerate::text {

inline std::filesystem::path goldens() {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "tokenizers";
}

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

inline std::vector<std::string> strings(const Json& json) {
  std::vector<std::string> out;
  for (const Json& value : json.items()) out.push_back(value.as_string());
  return out;
}

// "0-3 3-5 ": one text, so that a failure shows both sides whole.
inline std::string offsets(const Json& json) {
  std::string out;
  for (const Json& pair : json.items()) out += pair.items()[0].dump() + "-" + pair.items()[1].dump() + " ";
  return out;
}
inline std::string offsets(const std::vector<Offset>& all) {
  std::string out;
  for (const Offset& offset : all) out += std::to_string(offset.begin) + "-" + std::to_string(offset.end) + " ";
  return out;
}

inline TextInput input_of(const Json& row) {
  TextInput input{row.at("text").as_string()};
  if (row.find("pair") != nullptr) input.pair = row.at("pair").as_string();
  return input;
}

}  // namespace accelerate::text
