// A published model: its config, its weights as views into mapped files, and its small files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.hpp"
#include "checkpoint/gguf.hpp"
#include "checkpoint/safetensors.hpp"
#include "core/json.hpp"

namespace accelerate {

// Copies share what was opened. Only headers are read: pages with weights stay untouched until somebody reads them.
class Checkpoint {
 public:
  // Opens config.json and either model.safetensors or the shards that model.safetensors.index.json lists. (A GGUF file
  // is opened by open_checkpoint() in models/, which knows what its names mean.)
  // Errors, each naming the file:
  //   not_found      no such folder (with a hint when it looks like a hub name), no config.json, no weights, a shard
  //                  that the index names is missing
  //   unsupported    only weights of another format (pytorch_model.bin, tf_model.h5, *.onnx, adapters), or of GGUF in
  //                  a folder: the file itself is to be opened
  //   invalid_input  a file where a folder is expected
  //   corrupted      broken config, index or safetensors header; a tensor that is not in the shard the index names; a
  //                  shard outside the folder; one name in two shards
  // With `inner`, config, weights and tokenizer lie in that sub-folder, as older folders of sentence-transformers have
  // it; other files lie in the folder itself.
  static Checkpoint open(const std::filesystem::path& folder, const std::filesystem::path& inner = {});

  // A GGUF file as a folder: its config, its tensors under the names of a folder, and the small files that its metadata
  // makes. Names of tensors differ.
  static Checkpoint of_gguf(GgufFile file, Config config, std::vector<StoredTensor> tensors,
                            std::map<std::string, Json, std::less<>> small_files);

  // As given (a GGUF file: its path), and the sub-folder; it is empty for most.
  const std::filesystem::path& folder() const;
  const std::filesystem::path& inner() const;
  // Where config, weights and tokenizer lie.
  const std::filesystem::path& main_folder() const;
  const Config& config() const;

  // Null when there is no tensor of that name. Valid as long as any copy of this checkpoint lives.
  const StoredTensor* find(std::string_view name) const;
  // All tensors, sorted by name, and their names.
  const std::vector<const StoredTensor*>& tensors() const;
  std::vector<std::string> names() const;
  // Elements of all tensors together (what the files hold: buffers count, tied weights once), and their bytes.
  std::int64_t parameter_count() const;
  std::int64_t weight_bytes() const;

  // Null unless this is a GGUF file.
  const GgufFile* gguf() const;

  // Small files beside the weights; `name` may lie in a sub-folder ("1_Pooling/config.json"). Looked for in
  // main_folder(), then in folder(). A GGUF file has those that are made of its metadata, which have no path.
  bool has_file(std::string_view name) const;
  std::filesystem::path path_of(std::string_view name) const;
  // Nothing when the file is absent; Error{corrupted} with line and column when it is not JSON.
  std::optional<Json> json(std::string_view name) const;
  // The same for a file whose fields are read with checks.
  std::optional<Config> config(std::string_view name) const;
  // The files this checkpoint was opened from (config, index, weights), relative to the folder, for hashing; of a GGUF
  // file its name.
  const std::vector<std::filesystem::path>& files() const;

 private:
  struct State;
  explicit Checkpoint(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace accelerate
