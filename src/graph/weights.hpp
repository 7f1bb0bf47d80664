// A model's parameters as graphs and backends see them: by name, in their stored encoding, shared by all plans.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/tensor.hpp"
#include "checkpoint/checkpoint.hpp"
#include "checkpoint/encoding.hpp"
#include "checkpoint/name_map.hpp"

namespace accelerate {

// Stored rows that follow each other in a weight's order, in numbers from its first byte.
struct RowRun {
  std::int64_t first = 0, rows = 0;
  std::int64_t stride = 0;  // from one to the next; 0: they touch
};

struct Weight {
  std::string name;
  Dims dims;  // as the model means them: [out, in] of a linear layer
  Encoding encoding;
  bool transposed = false;           // stored with reversed dims
  std::int64_t stride = 0, run = 1;  // Parameter::stride, run
  std::span<const std::byte> bytes;
  std::shared_ptr<const MappedFile> file;  // null for weights made in memory
  std::shared_ptr<const void> owner;
  std::string where;  // for errors: "model.safetensors: tensor \"...\""

  std::int64_t elements() const { return element_count(dims); }
  // Whether the bytes are values of this type as they are, aligned, in the order of dims or the reverse.
  bool is_plain(DType dtype) const;
  // Whether the bytes are numbers of this type, aligned, whose rows may lie apart or in another order: what packing
  // reads where it lies, by row_runs().
  bool has_rows_of(DType dtype) const;
  // In the order of dims; of a transposed weight, whose stored rows are columns, one.
  std::vector<RowRun> row_runs() const;
  // Values in the order of dims. A view where they are f32 already, else a converted copy.
  Tensor to_f32() const;
  // Rows [begin, end) of a stored matrix are not needed any more: their pages may leave memory.
  void release_rows(std::int64_t begin, std::int64_t end) const;
  void release() const { release_rows(0, 1 << 30); }
};

// Thread-safe for reading. Parameters are looked up in the mounted checkpoints when first asked for.
class Weights {
 public:
  Weights() = default;
  Weights(const Weights&) = delete;
  Weights& operator=(const Weights&) = delete;

  // Parameters of `checkpoint` under `prefix` + the name that `names` knows them by.
  void mount(std::string prefix, Checkpoint checkpoint, NameMap names);
  // A parameter made in memory; replaces one of the same name.
  void add(std::string name, Tensor values);

  // Null when there is none. The pointer stays valid as long as these weights.
  const Weight* find(std::string_view name) const;
  // Error{not_found} naming the spellings tried and the nearest names there are.
  const Weight& at(std::string_view name) const;

  // Error{corrupted} naming a file that was written to since it was opened (MappedFile::expect_unchanged).
  void expect_unchanged() const;

  // What a backend made of weights (a packed copy), made once for all plans. `key` names the weights and the format.
  std::shared_ptr<const void> prepared(const std::string& key,
                                       const std::function<std::shared_ptr<const void>()>& make) const;

 private:
  struct Mount {
    std::string prefix;
    Checkpoint checkpoint;
    NameMap names;
  };
  std::vector<Mount> mounts_;
  mutable std::mutex mutex_, making_;
  mutable std::map<std::string, std::unique_ptr<Weight>, std::less<>> found_;
  mutable std::map<std::string, std::weak_ptr<const void>> prepared_;
  mutable std::vector<std::shared_ptr<const MappedFile>> files_;  // those that parameters were found in
};

}  // namespace accelerate
