// The declarative map from an architecture's parameter names to the names that published files use.
//
// A parameter's name is the checkpoint's modern spelling. Rows say how older or fused files spell it; nothing else in
// the library knows about spellings. Rows are data, so that the same map serves reading and writing.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/checkpoint.hpp"

namespace accelerate {

// What a row does. Weight norm, folding of batch norm and fusing several stored tensors into one come with the
// architectures that need them.
enum class NameRule : std::uint8_t { prefix, alternative, part, transposed, vector, tied };

// In patterns `*` stands for any run of characters; the first one of `stored` takes what the first one of `name`
// matched, and so on. A pattern that begins with `*.` also matches a name that has nothing before the rest.
struct NameRow {
  NameRule rule = NameRule::prefix;
  std::string name;    // pattern of the parameter's name (for transposed: of the stored name; for prefix: unused)
  std::string stored;  // pattern of the stored name (for prefix: the prefix itself)
  // part: the rows are `groups` equal groups; of each the parameter has `length` of `count` equal blocks, from block
  // `index` on.
  std::int64_t index = 0, count = 1, length = 1, groups = 1;
  friend bool operator==(const NameRow&, const NameRow&) = default;
};

namespace names {
// Names in the file may have this in front where the architecture's have not, or the other way round: prefix("bert.").
NameRow prefix(std::string stored);
// An older spelling: alternative("*.LayerNorm.weight", "*.LayerNorm.gamma").
NameRow alternative(std::string name, std::string stored);
// The parameter is block `index` of `count` equal blocks of the rows of a stored matrix or vector:
// part("*.attn.q_proj.weight", "*.attn.Wqkv.weight", 0, 3). `length` blocks where queries have more heads than keys;
// the same of each of `groups` groups of rows where query, key and value of a head lie together.
NameRow part(std::string name, std::string stored, std::int64_t index, std::int64_t count, std::int64_t length = 1,
             std::int64_t groups = 1);
// Stored as [in, out] where the architecture means [out, in] (GPT-2): transposed("*.c_fc.weight").
NameRow transposed(std::string stored);
// Stored as [1, n] where the architecture means [n]: vector("final_logits_bias").
NameRow vector(std::string stored);
// Either is used for the other when nothing else is found, since a file may hold any one of them:
// tied("lm_head.weight", "embed_tokens.weight").
NameRow tied(std::string name, std::string stored);
}  // namespace names

// A parameter found in a checkpoint: a view into the mapped file, never a copy.
struct Parameter {
  std::string name;         // as asked
  std::string stored_name;  // the tensor it lies in
  Encoding encoding;
  Dims dims;                         // as the architecture means it: [out, in] also when `transposed`
  std::span<const std::byte> bytes;  // row-major in dims, or in the reversed dims when `transposed`
  bool transposed = false;
  std::int64_t stride = 0;  // numbers from one stored row to the next where more lies between them; 0: they touch
  std::int64_t run = 1;     // so many stored rows touch, and the stride is from the first of them to the next such
  std::shared_ptr<const MappedFile> file;

  std::int64_t elements() const { return element_count(dims); }
  // "model.safetensors: tensor "encoder.weight"", for errors.
  std::string where() const;
};

// A value: copy, compare, concatenate.
class NameMap {
 public:
  NameMap() = default;
  NameMap(std::initializer_list<NameRow> rows) : rows_(rows) {}
  NameMap& add(NameRow row);
  // These rows, then the other's.
  friend NameMap operator+(NameMap first, const NameMap& second);
  friend bool operator==(const NameMap&, const NameMap&) = default;
  const std::vector<NameRow>& rows() const { return rows_; }

  // Nothing when no spelling of the name is in the checkpoint. Error{unsupported} when its encoding cannot be read,
  // Error{corrupted} when a stored shape cannot be split or transposed as the rows say.
  std::optional<Parameter> find(const Checkpoint& checkpoint, std::string_view name) const;
  // The same; Error{not_found} listing the spellings tried and the nearest names that the checkpoint has.
  Parameter at(const Checkpoint& checkpoint, std::string_view name) const;
  // The same with the shape checked: Error{corrupted} "has shape [..], expected [..]".
  Parameter at(const Checkpoint& checkpoint, std::string_view name, const Dims& expected) const;
  bool contains(const Checkpoint& checkpoint, std::string_view name) const;

  // The stored names that find() looks for, in its order, the name itself first; for writing in an older spelling.
  std::vector<std::string> stored_names(std::string_view name) const;

 private:
  std::vector<NameRow> rows_;
};

}  // namespace accelerate
