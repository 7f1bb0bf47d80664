#include "checkpoint/checkpoint.hpp"

#include <algorithm>
#include <map>
#include <utility>

namespace accelerate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kSingle = "model.safetensors";
constexpr std::string_view kIndex = "model.safetensors.index.json";

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

// "org/name" or "name", of the characters that the hub allows.
bool looks_like_hub_name(const std::string& text) {
  const auto allowed = [](char c) {
    return std::string_view("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./").find(c) !=
           std::string_view::npos;
  };
  return !text.empty() && std::ranges::all_of(text, allowed) && std::ranges::count(text, '/') <= 1 &&
         text.front() != '/' && text.front() != '.' && text.back() != '/';
}

void require_folder(const fs::path& folder) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (fs::is_directory(status)) return;
  const std::string where = folder.string();
  if (!fs::exists(status)) {
    throw Error(ErrorKind::not_found, "no such folder", where,
                looks_like_hub_name(where)
                    ? "names of models on the hub are not opened yet: download the model's folder and give its path"
                    : "give the folder that a model was published in, the one with config.json");
  }
  throw Error(ErrorKind::invalid_input, "is a file, expected a model's folder or a GGUF file", where,
              "give the folder that a model was published in, the one with config.json");
}

// A file of weights that are there but not in a format this version opens; empty when there is none.
std::string foreign_weights(const fs::path& folder) {
  std::vector<std::string> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const std::string extension = entry->path().extension().string();
    const bool weights = (extension == ".bin" && name.find("model") != std::string::npos) || extension == ".h5" ||
                         extension == ".onnx" || extension == ".gguf" || extension == ".msgpack" ||
                         extension == ".pt" || extension == ".pth" || extension == ".ckpt" || extension == ".ot" ||
                         name == "adapter_model.safetensors" || name == "pytorch_model.bin.index.json";
    if (weights) found.push_back(name);
  }
  return found.empty() ? std::string() : *std::ranges::min_element(found);
}

[[noreturn]] void refuse_foreign(const fs::path& folder, const std::string& name) {
  if (name.starts_with("adapter_model")) {
    throw Error(ErrorKind::unsupported, "holds an adapter, expected the weights of a whole model",
                (folder / name).string(),
                "merge it into its base model with PEFT: model.merge_and_unload().save_pretrained(FOLDER)");
  }
  if (name.ends_with(".gguf")) {
    throw Error(ErrorKind::unsupported, "is a GGUF file in a folder without other weights", (folder / name).string(),
                "give the file itself instead of the folder");
  }
  throw Error(ErrorKind::unsupported,
              "holds weights in a format that this version does not open, expected " + std::string(kSingle) + " or " +
                  std::string(kIndex),
              (folder / name).string(),
              "convert the folder with Transformers: AutoModel.from_pretrained(FOLDER).save_pretrained(NEW_FOLDER, "
              "safe_serialization=True), with the model's own class instead of AutoModel where it has a head");
}

Config read_config(const fs::path& folder) {
  const fs::path path = folder / kConfig;
  std::error_code error;
  if (fs::is_regular_file(path, error)) return Config::read(path);
  if (error && error != std::errc::no_such_file_or_directory) {
    throw Error(ErrorKind::not_found, "cannot be opened: " + error.message(), path.string());
  }
  if (const std::string foreign = foreign_weights(folder); !foreign.empty()) refuse_foreign(folder, foreign);
  throw Error(ErrorKind::not_found, "no such file", path.string(),
              "give the folder that a model was published in, the one with config.json");
}

// A shard's name must stay inside the folder. Links are followed: the hub's cache is made of them.
fs::path shard_path(const Json& value, const std::string& where) {
  const fs::path path = fs::path(value.as_string()).lexically_normal();
  if (path.empty() || path.is_absolute() || *path.begin() == ".." || path.filename() == "." || !path.has_filename()) {
    throw Error(ErrorKind::corrupted, "names the shard \"" + value.as_string() + "\", expected a file in the folder",
                where);
  }
  return path;
}

using WeightMap = std::map<std::string, fs::path>;  // tensor to shard

WeightMap read_weight_map(const fs::path& index) {
  const Config weight_map = Config::read(index).child("weight_map");
  WeightMap result;
  for (const auto& [name, shard] : weight_map.json().members()) {
    const std::string where = weight_map.where() + ": tensor \"" + name + "\"";
    if (!shard.is_string()) {
      throw Error(ErrorKind::corrupted, "found " + std::string(shard.kind_name()) + ", expected a shard's file name",
                  where);
    }
    if (!result.emplace(name, shard_path(shard, where)).second) {
      throw Error(ErrorKind::corrupted, "is listed twice", where);
    }
  }
  if (result.empty()) throw Error(ErrorKind::corrupted, "lists no tensor", weight_map.where());
  return result;
}

std::int64_t elements_of(const StoredTensor& tensor) { return element_count(tensor.dims); }

}  // namespace

struct Checkpoint::State {
  fs::path folder, inner, main;
  Config config;
  std::vector<SafetensorsFile> weights = {};
  // Of a GGUF file: it, its tensors under the names of a folder, and the small files that its metadata makes.
  std::optional<GgufFile> gguf = {};
  std::vector<StoredTensor> renamed = {};
  std::map<std::string, Json, std::less<>> made = {};
  std::vector<const StoredTensor*> tensors = {};  // sorted by name
  std::vector<fs::path> files;
  std::int64_t parameters = 0, bytes = 0;

  void open_weights();
  void open_shards();
  void add(const StoredTensor& tensor);
  void index_tensors();
};

void Checkpoint::State::open_weights() {
  if (is_file(main / kSingle)) {
    files.push_back(inner / kSingle);
    weights.push_back(SafetensorsFile::open(main / kSingle));
  } else if (is_file(main / kIndex)) {
    files.push_back(inner / kIndex);
    open_shards();
  } else if (const std::string foreign = foreign_weights(main); !foreign.empty()) {
    refuse_foreign(main, foreign);
  } else {
    throw Error(ErrorKind::not_found, "has no weights, expected " + std::string(kSingle) + " or " + std::string(kIndex),
                main.string(), "the download may be incomplete");
  }
}

void Checkpoint::State::open_shards() {
  const fs::path index = main / kIndex;
  const WeightMap weight_map = read_weight_map(index);
  std::map<fs::path, std::size_t> shards;  // to its place in weights
  for (const auto& [name, shard] : weight_map) {
    const auto [place, added] = shards.emplace(shard, weights.size());
    if (added) {
      if (!is_file(main / shard)) {
        throw Error(ErrorKind::not_found, "no such file, but " + std::string(kIndex) + " lists tensors in it",
                    (main / shard).string(), "the download may be incomplete");
      }
      files.push_back(inner / shard);
      weights.push_back(SafetensorsFile::open(main / shard));
    }
    if (weights[place->second].find(name) == nullptr) {
      throw Error(ErrorKind::corrupted,
                  "has no tensor \"" + name + "\", but " + std::string(kIndex) + " says that it lies there",
                  (main / shard).string());
    }
  }
}

void Checkpoint::State::add(const StoredTensor& tensor) {
  tensors.push_back(&tensor);
  parameters += elements_of(tensor);
  bytes += static_cast<std::int64_t>(tensor.bytes.size());
}

void Checkpoint::State::index_tensors() {
  for (const SafetensorsFile& file : weights) std::ranges::for_each(file.tensors(), [&](auto& each) { add(each); });
  for (const StoredTensor& tensor : renamed) add(tensor);
  std::ranges::sort(tensors, {}, &StoredTensor::name);
  const auto twice = std::ranges::adjacent_find(tensors, {}, &StoredTensor::name);
  if (twice == tensors.end()) return;
  throw Error(ErrorKind::corrupted,
              "lies in " + (*twice)->file->path().filename().string() + " and in " +
                  (*(twice + 1))->file->path().filename().string() + ", expected one of them",
              main.string() + ": tensor \"" + (*twice)->name + "\"");
}

Checkpoint Checkpoint::open(const fs::path& folder, const fs::path& inner) {
  const fs::path main = inner.empty() ? folder : folder / inner;
  require_folder(main);
  auto state = std::make_shared<State>(
      State{.folder = folder, .inner = inner, .main = main, .config = read_config(main), .files = {inner / kConfig}});
  state->open_weights();
  state->index_tensors();
  return Checkpoint(std::move(state));
}

Checkpoint Checkpoint::of_gguf(GgufFile file, Config config, std::vector<StoredTensor> tensors,
                               std::map<std::string, Json, std::less<>> small_files) {
  const fs::path path = file.path();
  auto state = std::make_shared<State>(State{.folder = path,
                                             .inner = {},
                                             .main = path,
                                             .config = std::move(config),
                                             .gguf = std::move(file),
                                             .renamed = std::move(tensors),
                                             .made = std::move(small_files),
                                             .files = {path.filename()}});
  state->index_tensors();
  return Checkpoint(std::move(state));
}

const fs::path& Checkpoint::folder() const { return state_->folder; }
const fs::path& Checkpoint::inner() const { return state_->inner; }
const fs::path& Checkpoint::main_folder() const { return state_->main; }
const Config& Checkpoint::config() const { return state_->config; }
const std::vector<const StoredTensor*>& Checkpoint::tensors() const { return state_->tensors; }
std::int64_t Checkpoint::parameter_count() const { return state_->parameters; }
std::int64_t Checkpoint::weight_bytes() const { return state_->bytes; }
const std::vector<fs::path>& Checkpoint::files() const { return state_->files; }

const StoredTensor* Checkpoint::find(std::string_view name) const {
  const auto found = std::ranges::lower_bound(
      state_->tensors, name, {}, [](const StoredTensor* tensor) { return std::string_view(tensor->name); });
  return found == state_->tensors.end() || (*found)->name != name ? nullptr : *found;
}

std::vector<std::string> Checkpoint::names() const {
  std::vector<std::string> names;
  for (const StoredTensor* tensor : state_->tensors) names.push_back(tensor->name);
  return names;
}

const GgufFile* Checkpoint::gguf() const { return state_->gguf ? &*state_->gguf : nullptr; }

bool Checkpoint::has_file(std::string_view name) const { return state_->made.contains(name) || is_file(path_of(name)); }

fs::path Checkpoint::path_of(std::string_view name) const {
  const fs::path inside = state_->main / name;
  std::error_code ignored;
  return state_->inner.empty() || fs::exists(inside, ignored) ? inside : state_->folder / name;
}

std::optional<Json> Checkpoint::json(std::string_view name) const {
  if (const auto made = state_->made.find(name); made != state_->made.end()) return made->second;
  if (!has_file(name)) return std::nullopt;
  return read_json(path_of(name));
}

std::optional<Config> Checkpoint::config(std::string_view name) const {
  if (std::optional<Json> found = json(name)) return Config(*std::move(found), path_of(name).string());
  return std::nullopt;
}

}  // namespace accelerate
