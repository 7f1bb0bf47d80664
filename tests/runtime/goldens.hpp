// Golden folders as the tests of the public interface read them.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "checkpoint/config.hpp"
#include "checkpoint/safetensors.hpp"

namespace accelerate {

inline std::filesystem::path models_folder() {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "models";
}
inline std::filesystem::path model_folder(const std::string& name) { return models_folder() / name; }

// "folder/case" of every case there is.
inline std::vector<std::string> all_cases() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(models_folder())) {
    const std::filesystem::path file = entry.path() / "golden" / "cases.json";
    if (!std::filesystem::exists(file)) continue;
    const Json cases = read_json(file);
    for (const Json& one : cases.at("cases").items()) {
      names.push_back(entry.path().filename().string() + "/" + one.at("name").as_string());
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

struct Case {
  std::filesystem::path folder;
  Json json;

  // `name` as all_cases() spells it.
  static Case named(const std::string& name) {
    const std::size_t slash = name.find('/');
    Case one{model_folder(name.substr(0, slash)), {}};
    const Json cases = read_json(one.folder / "golden" / "cases.json");
    for (const Json& json : cases.at("cases").items()) {
      if (json.at("name").as_string() == name.substr(slash + 1)) one.json = json;
    }
    return one;
  }

  std::string task() const { return json.at("task").as_string(); }
  std::string call() const { return json.at("call").as_string(); }
  const Json& expected() const { return json.at("expected"); }
  const Json* setting(std::string_view key) const { return json.at("settings").find(key); }

  // A text or a list of them.
  std::vector<std::string> texts(std::string_view field = "text") const {
    const Json* given = json.at("input").find(field);
    if (given == nullptr) return {};
    if (given->is_string()) return {given->as_string()};
    std::vector<std::string> texts;
    for (const Json& text : given->items()) texts.push_back(text.as_string());
    return texts;
  }
  // Second texts are `text_pair`; in the oldest folders a pair is two texts that give one row.
  std::vector<TextPair> pairs() const {
    const std::vector<std::string> first = texts(), second = texts("text_pair");
    const Json::Array& inputs = json.at("tensors").at("inputs").items();
    const std::int64_t rows = inputs.front().at("shape").items().front().as_int();
    if (second.empty() && first.size() == 2 && rows == 1) return {{first[0], first[1]}};
    std::vector<TextPair> both;
    for (std::size_t i = 0; i < second.size(); ++i) both.push_back({first[i], second[i]});
    return both;
  }
  // "inputs" or "outputs", under their plain names.
  NamedTensors tensors(const std::string& kind) const {
    NamedTensors found;
    const SafetensorsFile file = SafetensorsFile::open(folder / json.at("tensors").at("file").as_string());
    for (const StoredTensor& stored : file.tensors()) {
      if (stored.name.starts_with(kind + ".")) found[stored.name.substr(kind.size() + 1)] = stored.tensor();
    }
    return found;
  }
};

// How far beyond the bounds of the goldens' README for encoders; not above 0 is in bound.
inline double excess(double found, double expected) {
  const double over = std::abs(found - expected) - (5e-5 + 1e-4 * std::abs(expected));
  return std::isnan(over) ? INFINITY : over;
}

}  // namespace accelerate
