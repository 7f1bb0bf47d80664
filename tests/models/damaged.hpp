// Copies of golden folders with something changed, in a folder that goes away with the object.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "checkpoint/temporary_folder.hpp"
#include "models/golden.hpp"

namespace accelerate {

// A golden folder without its cases.
class GoldenCopy {
 public:
  explicit GoldenCopy(const std::string& golden, const std::filesystem::path& goldens = goldens_folder()) {
    const std::filesystem::path from = goldens / golden;
    std::filesystem::copy(from, path(), std::filesystem::copy_options::recursive);
    std::filesystem::remove_all(path() / "golden");
  }

  std::filesystem::path path() const { return folder_.path() / "model"; }

  // Changes a JSON file, "config.json" or one in a sub-folder.
  GoldenCopy& edit(const std::string& file, const std::function<void(Json&)>& change) {
    Json json = read_json(path() / file);
    change(json);
    std::ofstream(path() / file) << json.dump();
    return *this;
  }
  GoldenCopy& set(const std::string& key, const Json& value) {
    return edit("config.json", [&](Json& json) { json.set(key, value); });
  }

  // Changes the list of tensors in model.safetensors.
  using Tensors = std::vector<std::pair<std::string, Tensor>>;
  GoldenCopy& tensors(const std::function<void(Tensors&)>& change) {
    const std::filesystem::path file = path() / "model.safetensors";
    Tensors tensors;
    {
      const SafetensorsFile opened = SafetensorsFile::open(file);
      for (const StoredTensor& stored : opened.tensors()) {
        Tensor copy(stored.encoding.dtype, stored.dims);
        std::copy(stored.bytes.begin(), stored.bytes.end(), copy.bytes().begin());
        tensors.emplace_back(stored.name, std::move(copy));
      }
    }
    change(tensors);
    std::filesystem::remove(file);
    write_safetensors(file, tensors);
    return *this;
  }
  // Without the tensors whose names contain `part`.
  GoldenCopy& remove(const std::string& part) {
    return tensors([&](Tensors& all) {
      std::erase_if(all, [&](const auto& entry) { return entry.first.find(part) != std::string::npos; });
    });
  }
  // The tensor of that name becomes zeros of another shape.
  GoldenCopy& reshape(const std::string& name, const Dims& dims) {
    return tensors([&](Tensors& all) {
      for (auto& [each, tensor] : all) {
        if (each == name) tensor = Tensor(DType::f32, dims);
      }
    });
  }
  GoldenCopy& rename(const std::string& from, const std::string& to) {
    return tensors([&](Tensors& all) {
      for (auto& [each, tensor] : all) {
        const std::size_t at = each.find(from);
        if (at != std::string::npos) each.replace(at, from.size(), to);
      }
    });
  }

 private:
  TemporaryFolder folder_;
};

}  // namespace accelerate
