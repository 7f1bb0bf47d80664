#include "text/legacy_folder.hpp"

#include <algorithm>
#include <charconv>

#include "core/file.hpp"

namespace accelerate::text {

bool is_file(const std::filesystem::path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

std::string Folder::token(std::string_view role, std::string_view usual) const {
  for (const Json* source : {&config, &specials}) {
    const Json* value = source->find(role);
    if (value != nullptr && value->is_object()) value = value->find("content");
    if (value != nullptr && value->is_string()) return value->as_string();
  }
  return std::string(usual);
}

Json template_of(std::string_view single, std::string_view pair, const TokenIds& ids) {
  Json specials = Json::object();
  const auto pieces = [&](std::string_view words) {
    Json list = Json::array();
    while (!words.empty()) {
      std::string word(words.substr(0, words.find(' ')));
      words.remove_prefix(std::min(words.size(), word.size() + 1));
      std::int64_t type = 0;
      if (word.size() > 2 && word.substr(word.size() - 2) == ":1") {
        type = 1;
        word.resize(word.size() - 2);
      }
      const bool text = word == "$A" || word == "$B";
      list.push(object(
          {{text ? "Sequence" : "SpecialToken", object({{"id", text ? word.substr(1) : word}, {"type_id", type}})}}));
      if (text) continue;
      const auto id = ids.find(word);
      if (id == ids.end()) throw Error(ErrorKind::corrupted, "the vocabulary lacks the special token \"" + word + "\"");
      specials.set(word, object({{"id", word}, {"ids", Json::Array{id->second}}, {"tokens", Json::Array{word}}}));
    }
    return list;
  };
  Json made = object({{"type", "TemplateProcessing"}, {"single", pieces(single)}, {"pair", pieces(pair)}});
  return made.set("special_tokens", std::move(specials));
}

namespace {

std::int64_t id_in(const std::string& key) {
  std::int64_t id = -1;
  const char* end = key.data() + key.size();
  const auto read = std::from_chars(key.data(), end, id);
  if (read.ec != std::errc() || read.ptr != end || id < 0) {
    throw Error(ErrorKind::corrupted, "found \"" + key + "\", expected a token's id",
                "added_tokens_decoder of tokenizer_config.json");
  }
  return id;
}

}  // namespace

std::map<std::int64_t, Json> added_tokens(const Folder& folder, const TokenIds& vocabulary,
                                          std::map<std::int64_t, Json> by_id) {
  std::map<std::string, bool> seen;
  for (const auto& [id, token] : by_id) seen[token.at("content").as_string()] = true;
  const auto add = [&](std::int64_t id, const std::string& content, const Json& from, bool special) {
    if (content.empty() || seen[content]) return;
    seen[content] = true;
    Json token = object({{"id", id}, {"content", content}, {"special", bool_or(from, "special", special)}});
    for (const char* key : {"single_word", "lstrip", "rstrip"}) token.set(key, bool_or(from, key, false));
    by_id[id] = token.set("normalized", bool_or(from, "normalized", false));
  };
  if (const Json* listed = folder.config.find("added_tokens_decoder")) {
    for (const auto& [id, token] : listed->members()) add(id_in(id), token.at("content").as_string(), token, false);
  }
  if (is_file(folder.path / "added_tokens.json")) {
    const Json more = Json::parse(read_file(folder.path / "added_tokens.json"), "added_tokens.json");
    for (const auto& [content, id] : more.members()) add(id.as_int(), content, Json(), false);
  }
  for (const Json* source : {&folder.specials, &folder.config}) {
    for (const char* role :
         {"unk_token", "bos_token", "eos_token", "cls_token", "sep_token", "pad_token", "mask_token"}) {
      const Json* token = source->find(role);
      if (token == nullptr || token->is_null()) continue;
      const std::string& content = token->is_object() ? token->at("content").as_string() : token->as_string();
      const auto known = vocabulary.find(content);
      if (known == vocabulary.end()) continue;
      Json flags = token->is_object() ? *token : Json::object();
      if (std::string_view(role) == "mask_token" && !token->is_object()) flags.set("lstrip", content == "<mask>");
      add(known->second, content, flags, true);
    }
  }
  return by_id;
}

}  // namespace accelerate::text
