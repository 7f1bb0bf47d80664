// What the readers of older files share: the folder with its settings, and JSON made of small parts.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "text/tokenizer_state.hpp"

namespace accelerate::text {

// Everything beside the vocabulary that decides what the tokenizer is.
struct Folder {
  std::filesystem::path path;
  const Json& config;
  const Json& specials;
  std::string tokenizer_class;

  // Text of a role ("cls_token"), or `usual`.
  std::string token(std::string_view role, std::string_view usual) const;
  bool flag(std::string_view key, bool usual) const { return bool_or(config, key, usual); }
  bool is(std::string_view family) const { return tokenizer_class.find(family) != std::string::npos; }
};

using TokenIds = std::map<std::string, std::int64_t>;

bool is_file(const std::filesystem::path& path);

inline Json object(std::initializer_list<Json::Member> members) { return Json(Json::Object(members)); }
inline Json typed(const char* type) { return object({{"type", type}}); }

// TemplateProcessing from "[CLS] $A [SEP]": a piece a word, "$A" and "$B" the texts, ":1" its type.
// Error{corrupted} for a special token that `ids` lacks.
Json template_of(std::string_view single, std::string_view pair, const TokenIds& ids);

// Added tokens by id: `by_id` and those of added_tokens_decoder, added_tokens.json, and the roles.
std::map<std::int64_t, Json> added_tokens(const Folder& folder, const TokenIds& vocabulary,
                                          std::map<std::int64_t, Json> by_id = {});

// From a SentencePiece model file of the folder.
Parts from_sentencepiece(const Folder& folder, std::string_view name);

// From source.spm and vocab.json, with separate_vocabs also target_vocab.json: texts are read in the source language,
// ids are spelled in the target language.
Parts from_marian(const Folder& folder);

}  // namespace accelerate::text
