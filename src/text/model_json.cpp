#include <limits>

#include "text/models.hpp"

namespace accelerate::text {
namespace {

std::int32_t token_id(const Json& json) {
  const std::int64_t id = json.as_int();
  if (id < 0 || id > std::numeric_limits<std::int32_t>::max()) {
    throw Error(ErrorKind::corrupted, "the token id " + std::to_string(id) + " is out of range", "vocab");
  }
  return static_cast<std::int32_t>(id);
}

Vocabulary read_vocabulary(const Json& json) {
  Vocabulary vocabulary;
  const Json::Object& members = json.members();
  std::size_t bytes = 0;
  for (const auto& [token, id] : members) bytes += token.size();
  vocabulary.reserve(members.size(), bytes);
  for (const auto& [token, id] : members) vocabulary.add(token, token_id(id));
  vocabulary.index();
  return vocabulary;
}

// Pairs, or in older files "left right" in one string.
Merges read_merges(const Json& json) {
  Merges merges;
  merges.reserve(json.items().size());
  for (const Json& merge : json.items()) {
    if (merge.is_string()) {
      const std::string& line = merge.as_string();
      if (line.substr(0, 8) == "#version") continue;
      const std::size_t space = line.find(' ');
      if (space == std::string::npos || line.find(' ', space + 1) != std::string::npos) {
        throw Error(ErrorKind::corrupted, "the merge \"" + line + "\" is not two parts with a space between", "merges");
      }
      merges.emplace_back(line.substr(0, space), line.substr(space + 1));
      continue;
    }
    if (merge.items().size() != 2) {
      throw Error(ErrorKind::corrupted, "a merge of " + std::to_string(merge.items().size()) + " parts, expected 2",
                  "merges");
    }
    merges.emplace_back(merge.items()[0].as_string(), merge.items()[1].as_string());
  }
  return merges;
}

std::string string_or_empty(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value == nullptr || value->is_null() ? std::string() : value->as_string();
}

std::unique_ptr<Model> read_bpe(const Json& json) {
  const Json* dropout = json.find("dropout");
  if (dropout != nullptr && !dropout->is_null() && dropout->as_double() != 0.0) {
    throw Error(ErrorKind::unsupported,
                "BPE dropout " + std::to_string(dropout->as_double()) + " makes tokens random; only 0 is done here",
                "dropout");
  }
  BpeOptions options;
  const Json* unknown = json.find("unk_token");
  if (unknown != nullptr && !unknown->is_null()) options.unknown_token = unknown->as_string();
  options.continuing_prefix = string_or_empty(json, "continuing_subword_prefix");
  options.word_suffix = string_or_empty(json, "end_of_word_suffix");
  options.fuse_unknown = bool_or(json, "fuse_unk", false);
  options.byte_fallback = bool_or(json, "byte_fallback", false);
  options.ignore_merges = bool_or(json, "ignore_merges", false);
  return make_bpe(read_vocabulary(json.at("vocab")), read_merges(json.at("merges")), std::move(options));
}

std::unique_ptr<Model> read_word_piece(const Json& json) {
  WordPieceOptions options;
  options.unknown_token = json.at("unk_token").as_string();
  options.continuing_prefix = json.at("continuing_subword_prefix").as_string();
  const std::int64_t longest = json.at("max_input_chars_per_word").as_int();
  if (longest < 0) throw Error(ErrorKind::corrupted, "found " + std::to_string(longest), "max_input_chars_per_word");
  options.longest_word = static_cast<std::size_t>(longest);
  return make_word_piece(read_vocabulary(json.at("vocab")), std::move(options));
}

std::unique_ptr<Model> read_unigram(const Json& json) {
  std::vector<ScoredToken> tokens;
  tokens.reserve(json.at("vocab").items().size());
  for (const Json& entry : json.at("vocab").items()) {
    if (entry.items().size() != 2) throw Error(ErrorKind::corrupted, "an entry that is no [token, score]", "vocab");
    tokens.push_back({entry.items()[0].as_string(), entry.items()[1].as_double()});
  }
  std::optional<std::size_t> unknown;
  const Json* unknown_id = json.find("unk_id");
  if (unknown_id != nullptr && !unknown_id->is_null()) unknown = static_cast<std::size_t>(token_id(*unknown_id));
  return make_unigram(std::move(tokens), unknown, bool_or(json, "byte_fallback", false));
}

// Files of the first versions leave the type out.
std::string_view guessed_type(const Json& json) {
  const std::string_view type = type_of(json);
  if (!type.empty()) return type;
  const Json* vocabulary = json.find("vocab");
  if (json.find("merges") != nullptr) return "BPE";
  if (json.find("max_input_chars_per_word") != nullptr) return "WordPiece";
  if (vocabulary != nullptr && vocabulary->is_array()) return "Unigram";
  if (vocabulary != nullptr && json.find("unk_token") != nullptr) return "WordLevel";
  return {};
}

}  // namespace

std::unique_ptr<Model> make_model(const Json& json) {
  const std::string_view type = guessed_type(json);
  if (type == "BPE") return read_bpe(json);
  if (type == "WordPiece") return read_word_piece(json);
  if (type == "Unigram") return read_unigram(json);
  if (type == "WordLevel") return make_word_level(read_vocabulary(json.at("vocab")), json.at("unk_token").as_string());
  unknown_type("model", json);
}

}  // namespace accelerate::text
