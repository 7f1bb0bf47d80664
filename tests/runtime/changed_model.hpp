// A copy of a golden decoder whose config.json says something else.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"

namespace accelerate {

class ChangedModel {
 public:
  ChangedModel(const std::string& name, const std::vector<std::pair<std::string, Json>>& fields) {
    std::filesystem::copy(decoders_folder() / name, folder_.path(), std::filesystem::copy_options::recursive);
    std::ifstream file(folder_.path() / "config.json");
    Json config = Json::parse(std::string(std::istreambuf_iterator<char>(file), {}), "config.json");
    for (const auto& [field, value] : fields) config.set(field, value);
    folder_.write("config.json", config.dump());
  }
  Model open() const { return Model::open(folder_.path(), {.device = "cpu"}); }

 private:
  TemporaryFolder folder_;
};

}  // namespace accelerate
