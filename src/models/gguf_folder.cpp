#include "models/gguf_folder.hpp"

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "core/text.hpp"
#include "models/gguf_architectures.hpp"
#include "models/gguf_rope.hpp"
#include "text/unicode.hpp"

namespace accelerate {
namespace {

constexpr std::string_view kTokenEmbedding = "token_embd.weight";
constexpr std::string_view kOutput = "output.weight";
constexpr std::int64_t kMostExperts = 4096;  // each is a tensor of its own here: a damaged count must not fill memory

const GgufArchitecture& row_of(const GgufFile& file) {
  const Config general = file.section("general");
  const auto name = general.require<std::string>("architecture");
  const Config fields = file.section(name);
  const bool experts = fields.size_or({"expert_count"}, 0, 0) > 0;
  if (const GgufArchitecture* found = gguf_architecture(name, experts)) return *found;
  if (gguf_architecture(name) != nullptr) {
    fields.fail("expert_count", "is not 0: of mixtures of experts only those of \"llama\" are read from GGUF files",
                ErrorKind::unsupported);
  }
  std::vector<std::string_view> known;  // a name that also has a row for its mixtures of experts only once
  for (const GgufArchitecture& each : gguf_architectures()) {
    if (!each.experts) known.push_back(each.name);
  }
  general.fail(
      "architecture",
      "is \"" + name + "\", which is not read from GGUF files; there are " + joined(known, ", ", std::identity()),
      ErrorKind::unsupported);
}

void add_fields(const GgufArchitecture& architecture, const Config& fields, Json& config) {
  for (const GgufField& field : architecture.fields) {
    const Json* value = fields.json().find(field.key);
    if (value == nullptr) continue;
    if (value->is_array()) {
      fields.fail(field.key, "is a list, one number a layer, expected one number", ErrorKind::unsupported);
    }
    config.set(field.name, *value);
  }
}

std::int64_t head_size(const Config& fields) {
  const std::int64_t width = fields.size("embedding_length"), heads = fields.size("attention.head_count");
  if (heads > width) fields.fail("attention.head_count", "is more than embedding_length, " + std::to_string(width));
  return fields.size_or({"attention.key_length"}, width / heads);
}

void add_heads(const GgufArchitecture& architecture, const Config& fields, Json& config) {
  if (!architecture.rotary) return;
  const std::int64_t size = head_size(fields);
  config.set("head_dim", size);
  const std::int64_t turned = fields.size_or({"rope.dimension_count"}, size);
  if (turned != size) config.set("partial_rotary_factor", static_cast<double>(turned) / static_cast<double>(size));
  if (architecture.layers_of_largest == 0) return;
  const bool largest = fields.size("block_count") == architecture.layers_of_largest;
  const std::int64_t share = fields.size("embedding_length") / fields.size("attention.head_count");
  config.set("query_pre_attn_scalar", largest ? share : size);
}

// What only the tensors say.
void add_facts_of_tensors(const GgufFile& file, Json& config) {
  const StoredTensor* embedding = file.find(kTokenEmbedding);
  if (embedding == nullptr || embedding->dims.size() != 2) {
    throw Error(ErrorKind::corrupted, "has no matrix \"" + std::string(kTokenEmbedding) + "\"", file.path());
  }
  config.set("vocab_size", embedding->dims[0]);
  config.set("tie_word_embeddings", file.find(kOutput) == nullptr);
  // Of all four products or none; Qwen2's three are no setting.
  const bool output_bias = file.find("blk.0.attn_output.bias") != nullptr;
  if ((file.find("blk.0.attn_q.bias") != nullptr) == output_bias) config.set("attention_bias", output_bias);
  config.set("mlp_bias", file.find("blk.0.ffn_down.bias") != nullptr);
}

struct Role {
  std::string_view key, name;  // of config.json; without "_id" of tokenizer_config.json
};
constexpr Role kRoles[] = {
    {"ggml.bos_token_id", "bos_token_id"},
    {"ggml.eos_token_id", "eos_token_id"},
    {"ggml.padding_token_id", "pad_token_id"},
    {"ggml.unknown_token_id", "unk_token_id"},
};

void add_special_ids(const Config& tokenizer, Json& json) {
  for (const Role& role : kRoles) {
    if (const auto id = tokenizer.find<std::int64_t>(role.key)) json.set(role.name, *id);
  }
}

// The number in "blk.12.attn_q" where the pattern is "blk.#.attn_q"; empty without #; nothing where it does not fit.
std::optional<std::string_view> number_in(std::string_view name, std::string_view pattern) {
  const std::size_t place = pattern.find('#');
  if (place == std::string_view::npos) return pattern == name ? std::optional(std::string_view()) : std::nullopt;
  const std::string_view before = pattern.substr(0, place), behind = pattern.substr(place + 1);
  const std::size_t around = before.size() + behind.size();
  if (name.size() <= around || !name.starts_with(before) || !name.ends_with(behind)) return std::nullopt;
  const std::string_view number = name.substr(place, name.size() - around);
  const bool digits = std::ranges::all_of(number, [](char c) { return c >= '0' && c <= '9'; });
  return digits ? std::optional(number) : std::nullopt;
}

std::string with(std::string_view pattern, char mark, std::string_view number) {
  std::string name(pattern);
  const std::size_t place = name.find(mark);
  return place == std::string::npos ? name : name.replace(place, 1, number);
}

// Names of one architecture's tensors, and what is undone in them.
class Renaming {
 public:
  explicit Renaming(const GgufFile& file) : architecture_(row_of(file)) {
    const Config fields = file.section(architecture_.name);
    query_heads_ = fields.size("attention.head_count");
    key_heads_ = fields.size_or({"attention.head_count_kv"}, query_heads_);
    experts_ = fields.size_or({"expert_count"}, 0, 0, kMostExperts);
  }

  // A tensor's matrices where it has several, else itself.
  void add_renamed(StoredTensor tensor, std::vector<StoredTensor>& tensors) const {
    const std::size_t dot = std::min(tensor.name.rfind('.'), tensor.name.size());
    const std::string_view base = std::string_view(tensor.name).substr(0, dot);
    const std::string suffix = tensor.name.substr(dot);
    for (const auto names : architecture_.names) {
      for (const GgufName& row : names) {
        const std::optional<std::string_view> number = number_in(base, row.stored);
        if (!number) continue;
        tensor.name_in_file = std::exchange(tensor.name, with(row.name, '#', *number) + suffix);
        if (row.change == GgufChange::stacked) return add_parts(tensor, tensors);
        undo(row.change, tensor);
        return tensors.push_back(std::move(tensor));
      }
    }
    tensors.push_back(std::move(tensor));
  }

 private:
  void undo(GgufChange change, StoredTensor& tensor) const {
    switch (change) {
      case GgufChange::none: return;
      case GgufChange::query_rows: return alternate(tensor, query_heads_);
      case GgufChange::key_rows: return alternate(tensor, key_heads_);
      case GgufChange::added_one: tensor.encoding.added = 1; return;
      case GgufChange::transposed:
        if (tensor.dims.size() != 2) return;
        std::swap(tensor.dims[0], tensor.dims[1]);
        tensor.transposed = true;
        return;
      case GgufChange::stacked: return;  // add_parts()
    }
  }

  void add_parts(const StoredTensor& stack, std::vector<StoredTensor>& tensors) const {
    if (stack.dims.size() != 3 || stack.dims[0] != experts_ || stack.bytes.empty()) {
      throw Error(ErrorKind::corrupted,
                  "has shape " + to_string(stack.dims) + ", expected [" + std::to_string(experts_) +
                      ", rows, columns], a matrix for each expert",
                  stack.where());
    }
    const auto count = static_cast<std::size_t>(experts_), bytes = stack.bytes.size() / count;
    for (std::size_t i = 0; i < count; ++i) {
      StoredTensor part = stack;
      part.name = with(stack.name, '@', std::to_string(i));
      part.dims.erase(part.dims.begin());
      part.bytes = stack.bytes.subspan(i * bytes, bytes);
      tensors.push_back(std::move(part));
    }
  }

  static void alternate(StoredTensor& tensor, std::int64_t heads) {
    if (tensor.dims.empty() || tensor.dims[0] % (2 * heads) != 0) {
      throw Error(ErrorKind::corrupted,
                  "has shape " + to_string(tensor.dims) + ", expected rows that divide into halves of " +
                      std::to_string(heads) + " heads",
                  tensor.where());
    }
    tensor.encoding.alternating_heads = heads;
  }

  const GgufArchitecture& architecture_;
  std::int64_t query_heads_ = 0, key_heads_ = 0, experts_ = 0;
};

// The tokenizer's fields are read once for all that need them: its lists are long.
Json config_of(const GgufFile& file, const Config& tokenizer) {
  const GgufArchitecture& architecture = row_of(file);
  const Config fields = file.section(architecture.name);
  Json config;
  config.set("model_type", architecture.model_type);
  config.set("architectures", Json::Array{architecture.class_name});
  const Json constants = Json::parse(architecture.constants, architecture.name);
  for (const auto& [key, value] : constants.members()) config.set(key, value);
  add_fields(architecture, fields, config);
  add_heads(architecture, fields, config);
  add_facts_of_tensors(file, config);
  add_rope_scaling(file, fields, config);
  add_special_ids(tokenizer, config);
  return config;
}

// The tokens of the special ids.
void add_special_tokens(const Config& tokenizer, Json& settings) {
  const Json* tokens = tokenizer.json().find("ggml.tokens");
  if (tokens == nullptr) return;
  const Json::Array& list = tokens->items();
  for (const Role& role : kRoles) {
    const auto id = tokenizer.find<std::int64_t>(role.key);
    if (!id) continue;
    if (*id < 0 || static_cast<std::size_t>(*id) >= list.size()) {
      tokenizer.fail(
          role.key, "is " + std::to_string(*id) + ", expected an id of the " + std::to_string(list.size()) + " tokens");
    }
    settings.set(role.name.substr(0, role.name.rfind("_id")), list[static_cast<std::size_t>(*id)]);
  }
}

Json tokenizer_config(const GgufFile& file, const Config& tokenizer) {
  Json settings = Json::object();
  add_special_tokens(tokenizer, settings);
  if (const auto chat = tokenizer.find<std::string>("chat_template")) {
    if (text::find_invalid_utf8(*chat) != std::string::npos) tokenizer.fail("chat_template", "is no UTF-8");
    settings.set("chat_template", *chat);
  }
  const Config fields = file.section(row_of(file).name);
  if (fields.has("context_length")) settings.set("model_max_length", fields.size("context_length"));
  return settings;
}

GgufSmallFiles small_files_of(const GgufFile& file, const Config& tokenizer) {
  Json generation = Json::object();
  add_special_ids(tokenizer, generation);
  return {{"tokenizer_config.json", tokenizer_config(file, tokenizer)},
          {"generation_config.json", std::move(generation)}};
}

}  // namespace

Json gguf_config(const GgufFile& file) { return config_of(file, file.section("tokenizer")); }

GgufSmallFiles gguf_small_files(const GgufFile& file) { return small_files_of(file, file.section("tokenizer")); }

std::vector<StoredTensor> gguf_tensors(const GgufFile& file) {
  const Renaming renaming(file);
  std::vector<StoredTensor> tensors;
  tensors.reserve(file.tensors().size());
  for (const StoredTensor& tensor : file.tensors()) renaming.add_renamed(tensor, tensors);
  std::ranges::sort(tensors, {}, &StoredTensor::name);
  const auto twice = std::ranges::adjacent_find(tensors, {}, &StoredTensor::name);
  if (twice != tensors.end()) {
    throw Error(ErrorKind::corrupted, "and tensor \"" + (twice + 1)->name + "\" are one and the same", twice->where());
  }
  return tensors;
}

Checkpoint open_gguf(const std::filesystem::path& path) {
  GgufFile file = GgufFile::open(path);
  const Config tokenizer = file.section("tokenizer");
  Config config(config_of(file, tokenizer), path.string());
  std::vector<StoredTensor> tensors = gguf_tensors(file);
  GgufSmallFiles small_files = small_files_of(file, tokenizer);
  return Checkpoint::of_gguf(std::move(file), std::move(config), std::move(tensors), std::move(small_files));
}

text::Tokenizer gguf_tokenizer(const GgufFile& file) {
  const Config tokenizer = file.section("tokenizer");
  return text::Tokenizer::from_gguf(tokenizer, row_of(file).merges_by_id, tokenizer_config(file, tokenizer));
}

}  // namespace accelerate
