#include "text/legacy_files.hpp"

#include <algorithm>
#include <map>

#include "core/file.hpp"
#include "text/known_patterns.hpp"
#include "text/precompiled.hpp"
#include "text/sentencepiece_model.hpp"

namespace accelerate::text {
namespace {

using Path = std::filesystem::path;

bool is_file(const Path& path) {
  std::error_code ignored;
  return std::filesystem::is_regular_file(path, ignored);
}

// Everything beside the vocabulary that decides what the tokenizer is.
struct Folder {
  Path path;
  const Json& config;
  const Json& specials;
  std::string tokenizer_class;

  // Text of a role ("cls_token"), or `usual`.
  std::string token(std::string_view role, std::string_view usual) const {
    for (const Json* source : {&config, &specials}) {
      const Json* value = source->find(role);
      if (value != nullptr && value->is_object()) value = value->find("content");
      if (value != nullptr && value->is_string()) return value->as_string();
    }
    return std::string(usual);
  }
  bool flag(std::string_view key, bool usual) const { return bool_or(config, key, usual); }
  bool is(std::string_view family) const { return tokenizer_class.find(family) != std::string::npos; }
};

Json object(std::initializer_list<Json::Member> members) { return Json(Json::Object(members)); }
Json typed(const char* type) { return object({{"type", type}}); }

// "[CLS] $A [SEP]": a piece a word, "$A" and "$B" the texts, ":1" its type. Ids are looked up in `ids`.
Json template_of(std::string_view single, std::string_view pair, const std::map<std::string, std::int64_t>& ids) {
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

// Added tokens by id, from added_tokens_decoder, added_tokens.json, and the roles.
std::map<std::int64_t, Json> added_tokens(const Folder& folder, const std::map<std::string, std::int64_t>& vocabulary,
                                          std::map<std::int64_t, Json> by_id = {}) {
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
    for (const auto& [id, token] : listed->members())
      add(std::atoll(id.c_str()), token.at("content").as_string(), token, false);
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

Json assemble(const Folder& folder, const std::map<std::string, std::int64_t>& vocabulary, Json tokenizer) {
  Json list = Json::array();
  for (auto& [id, token] : added_tokens(folder, vocabulary)) list.push(std::move(token));
  return tokenizer.set("added_tokens", std::move(list));
}

Json vocabulary_json(const std::map<std::string, std::int64_t>& vocabulary) {
  Json::Object members;
  members.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary) members.emplace_back(token, id);
  return members;
}

// BERT and its kin: vocab.txt, a token a line.
Json from_vocab_txt(const Folder& folder) {
  const std::string text = read_file(folder.path / "vocab.txt");
  std::map<std::string, std::int64_t> vocabulary;
  std::int64_t id = 0;
  for (std::size_t begin = 0; begin < text.size(); ++id) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string token = text.substr(begin, end - begin);
    while (!token.empty() && (token.back() == '\r' || token.back() == ' ')) token.pop_back();
    vocabulary[token] = id;
    begin = end + 1;
  }
  const bool mpnet = folder.is("MPNet");
  const std::string cls = folder.token("cls_token", mpnet ? "<s>" : "[CLS]");
  const std::string sep = folder.token("sep_token", mpnet ? "</s>" : "[SEP]");
  const Json* accents = folder.config.find("strip_accents");
  Json tokenizer =
      object({{"normalizer", object({{"type", "BertNormalizer"},
                                     {"clean_text", true},
                                     {"handle_chinese_chars", folder.flag("tokenize_chinese_chars", true)},
                                     {"strip_accents", accents == nullptr ? Json() : *accents},
                                     {"lowercase", folder.flag("do_lower_case", true)}})},
              {"pre_tokenizer", typed("BertPreTokenizer")},
              {"post_processor",
               template_of(cls + " $A " + sep, cls + " $A " + sep + (mpnet ? " " + sep : "") + " $B:1 " + sep + ":1",
                           vocabulary)},
              {"decoder", object({{"type", "WordPiece"}, {"prefix", "##"}, {"cleanup", true}})},
              {"model", object({{"type", "WordPiece"},
                                {"unk_token", folder.token("unk_token", "[UNK]")},
                                {"continuing_subword_prefix", "##"},
                                {"max_input_chars_per_word", 100},
                                {"vocab", vocabulary_json(vocabulary)}})}});
  return assemble(folder, vocabulary, std::move(tokenizer));
}

Json byte_level(bool prefix_space, bool trim, bool regex) {
  return object(
      {{"type", "ByteLevel"}, {"add_prefix_space", prefix_space}, {"trim_offsets", trim}, {"use_regex", regex}});
}

Json split_by(KnownPattern pattern, const char* behavior, bool invert) {
  return object({{"type", "Split"},
                 {"pattern", object({{"Regex", expression_of(pattern)}})},
                 {"behavior", behavior},
                 {"invert", invert}});
}

Json roberta_processing(const std::string& cls, const std::string& sep, bool trim, bool prefix_space,
                        const std::map<std::string, std::int64_t>& ids) {
  const auto pair = [&](const std::string& token) {
    const auto id = ids.find(token);
    if (id == ids.end()) throw Error(ErrorKind::corrupted, "the vocabulary lacks the special token \"" + token + "\"");
    return Json(Json::Array{token, id->second});
  };
  return object({{"type", "RobertaProcessing"},
                 {"sep", pair(sep)},
                 {"cls", pair(cls)},
                 {"trim_offsets", trim},
                 {"add_prefix_space", prefix_space}});
}

// GPT-2 and its kin: vocab.json and merges.txt.
Json from_vocab_json(const Folder& folder) {
  const Json listed = Json::parse(read_file(folder.path / "vocab.json"), "vocab.json");
  std::map<std::string, std::int64_t> ids;
  for (const auto& [token, id] : listed.members()) ids[token] = id.as_int();
  const std::map<std::int64_t, Json> more = added_tokens(folder, ids);
  std::map<std::string, std::int64_t> all = ids;
  for (const auto& [id, token] : more) all.emplace(token.at("content").as_string(), id);

  Json merges = Json::array();
  const std::string text = read_file(folder.path / "merges.txt");
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    std::string line = text.substr(begin, end - begin);
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty() && !(begin == 0 && line.substr(0, 8) == "#version")) merges.push(line);
    begin = end + 1;
  }
  Json model = object({{"type", "BPE"}, {"vocab", listed}, {"merges", std::move(merges)}});
  const bool prefix_space = folder.flag("add_prefix_space", false);
  Json normalizer, pre_tokenizer = byte_level(prefix_space, true, true), processor = byte_level(true, false, true);
  const std::string bos = folder.token("bos_token", "<|endoftext|>"), eos = folder.token("eos_token", "<|endoftext|>");
  if (folder.is("CLIP")) {
    normalizer =
        object({{"type", "Sequence"},
                {"normalizers",
                 Json::Array{typed("NFC"),
                             object({{"type", "Replace"}, {"pattern", object({{"Regex", "\\s+"}})}, {"content", " "}}),
                             typed("Lowercase")}}});
    pre_tokenizer = object(
        {{"type", "Sequence"},
         {"pretokenizers", Json::Array{split_by(KnownPattern::clip, "Removed", true), byte_level(false, true, true)}}});
    processor = roberta_processing(bos, eos, false, false, all);
    model.set("end_of_word_suffix", "</w>").set("unk_token", folder.token("unk_token", "<|endoftext|>"));
  } else if (folder.is("Qwen2")) {
    normalizer = typed("NFC");
    pre_tokenizer = object({{"type", "Sequence"},
                            {"pretokenizers", Json::Array{split_by(KnownPattern::cl100k_1, "Isolated", false),
                                                          byte_level(prefix_space, true, false)}}});
    processor = byte_level(false, false, false);
  } else if (folder.is("Whisper")) {
    processor = template_of("<|startoftranscript|> <|notimestamps|> $A " + eos,
                            "<|startoftranscript|> <|notimestamps|> $A $B:1 " + eos + ":1", all);
  } else if (!folder.token("cls_token", "").empty() || folder.is("Roberta") || folder.is("Bart") ||
             folder.is("Longformer") || folder.is("LED")) {
    processor = roberta_processing(folder.token("cls_token", "<s>"), folder.token("sep_token", "</s>"), true,
                                   prefix_space, all);
  } else if (folder.flag("add_bos_token", false)) {
    processor = template_of(bos + " $A", bos + " $A " + bos + ":1 $B:1", all);
  }
  Json tokenizer = object({{"normalizer", std::move(normalizer)},
                           {"pre_tokenizer", std::move(pre_tokenizer)},
                           {"post_processor", std::move(processor)},
                           {"decoder", byte_level(true, true, true)},
                           {"model", std::move(model)}});
  return assemble(folder, ids, std::move(tokenizer));
}

Json replace(const char* kind, const char* from, const char* to) {
  return object({{"type", "Replace"}, {"pattern", object({{kind, from}})}, {"content", to}});
}

Json metaspace(const char* scheme, bool split) {
  return object({{"type", "Metaspace"}, {"replacement", "\u2581"}, {"prepend_scheme", scheme}, {"split", split}});
}

Json sequence(const char* parts, Json::Array list) { return object({{"type", "Sequence"}, {parts, std::move(list)}}); }

enum class PieceStyle { t5, xlm_roberta, albert, llama };

PieceStyle style_of(const Folder& folder, std::string_view name) {
  if (folder.is("Camembert") || folder.is("XLNet") || folder.is("Pegasus") || folder.is("MBart") || folder.is("Nllb") ||
      folder.is("BigBird") || folder.is("DebertaV2") || folder.is("Marian")) {
    throw Error(ErrorKind::unsupported,
                "the class " + folder.tokenizer_class + " numbers its pieces in a way of its own", {},
                "save the tokenizer with Transformers once: that writes tokenizer.json");
  }
  if (folder.is("Albert")) return PieceStyle::albert;
  if (folder.is("XLMRoberta") || name == "sentencepiece.bpe.model") return PieceStyle::xlm_roberta;
  if (folder.is("Llama") || folder.is("Gemma") || name == "tokenizer.model") return PieceStyle::llama;
  return PieceStyle::t5;
}

// Pieces in the order of the ids that the model was trained with, which some frameworks shifted.
std::vector<ScoredToken> ordered_pieces(const SentencePieceModel& model, PieceStyle style, std::int64_t extra_ids) {
  std::vector<ScoredToken> out;
  std::size_t first = 0;
  if (style == PieceStyle::xlm_roberta) {
    for (const char* token : {"<s>", "<pad>", "</s>", "<unk>"}) out.push_back({token, 0});
    first = 3;
  }
  for (std::size_t i = first; i < model.pieces.size(); ++i) {
    const auto& [text, score, kind] = model.pieces[i];
    const bool number_comma =
        text.size() > 1 && text.back() == ',' && text[text.size() - 2] >= '0' && text[text.size() - 2] <= '9';
    out.push_back({text, style == PieceStyle::albert && number_comma ? score - 100 : score});
  }
  if (style == PieceStyle::xlm_roberta) out.push_back({"<mask>", 0});
  for (std::int64_t i = style == PieceStyle::t5 ? extra_ids : 0; i-- > 0;) {
    out.push_back({"<extra_id_" + std::to_string(i) + ">", 0});
  }
  return out;
}

void normalizer_parts(const Folder& folder, PieceStyle style, const SentencePieceModel& model, Parts& parts) {
  const bool llama = style == PieceStyle::llama, legacy = folder.flag("legacy", true);
  const bool prefix = folder.flag("add_prefix_space", !folder.is("Gemma"));
  Json::Array steps;
  if (style == PieceStyle::albert) {
    steps = {replace("String", "``", "\""), replace("String", "''", "\"")};
    if (!folder.flag("keep_accents", false)) {
      steps.push_back(typed("NFKD"));
      steps.push_back(typed("StripAccents"));
    }
    if (folder.flag("do_lower_case", true)) steps.push_back(typed("Lowercase"));
  }
  if (llama && legacy) {
    if (prefix) steps.push_back(object({{"type", "Prepend"}, {"prepend", "\u2581"}}));
    steps.push_back(replace("String", " ", "\u2581"));
  }
  std::vector<std::unique_ptr<Normalizer>> chain;
  for (const Json& step : steps) chain.push_back(Normalizer::make(step));
  if (!llama && !model.precompiled_charsmap.empty()) chain.push_back(make_precompiled(model.precompiled_charsmap));
  if (style == PieceStyle::albert) chain.push_back(Normalizer::make(replace("Regex", " {2,}", " ")));
  if (!chain.empty()) parts.normalizer = make_normalizer_sequence(std::move(chain));
  if (llama) {
    if (!legacy) parts.pre_tokenizer = PreTokenizer::make(metaspace(prefix ? "first" : "never", false));
    return;
  }
  Json::Array words{metaspace("always", true)};
  if (style != PieceStyle::albert) words.insert(words.begin(), typed("WhitespaceSplit"));
  parts.pre_tokenizer = PreTokenizer::make(sequence("pretokenizers", std::move(words)));
}

void end_parts(const Folder& folder, PieceStyle style, const std::map<std::string, std::int64_t>& ids, Parts& parts) {
  std::string single, pair;
  if (style == PieceStyle::t5) {
    single = "$A </s>", pair = "$A </s> $B:1 </s>:1";
  } else if (style == PieceStyle::xlm_roberta) {
    single = "<s> $A </s>", pair = "<s> $A </s> </s> $B </s>";
  } else if (style == PieceStyle::albert) {
    single = "[CLS] $A [SEP]", pair = "[CLS] $A [SEP] $B:1 [SEP]:1";
  } else {
    const bool bos = folder.flag("add_bos_token", true), eos = folder.flag("add_eos_token", false);
    const std::string begin = bos ? folder.token("bos_token", "<s>") : "",
                      end = eos ? folder.token("eos_token", "</s>") : "";
    single = (bos ? begin + " " : "") + "$A" + (eos ? " " + end : "");
    pair = single + (bos ? " " + begin + ":1" : "") + " $B:1" + (eos ? " " + end + ":1" : "");
  }
  parts.post_processor = PostProcessor::make(template_of(single, pair, ids));
  if (style != PieceStyle::llama) {
    parts.decoder = Decoder::make(metaspace("always", true));
    return;
  }
  Json::Array steps{replace("String", "\u2581", " "), typed("ByteFallback"), typed("Fuse")};
  if (folder.flag("add_prefix_space", !folder.is("Gemma"))) {
    steps.push_back(object({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}));
  }
  parts.decoder = Decoder::make(sequence("decoders", std::move(steps)));
}

Parts from_sentencepiece(const Folder& folder, std::string_view name) {
  SentencePieceModel model = parse_sentencepiece(read_file(folder.path / name));
  const PieceStyle style = style_of(folder, name);
  const Json* extra = folder.config.find("extra_ids");
  const std::int64_t extra_ids =
      extra == nullptr || extra->is_null() ? 100 : std::clamp<std::int64_t>(extra->as_int(), 0, 100000);
  std::vector<ScoredToken> pieces = ordered_pieces(model, style, extra_ids);
  std::map<std::string, std::int64_t> ids;
  std::map<std::int64_t, Json> controls;
  for (std::size_t i = 0; i < pieces.size(); ++i) ids[pieces[i].token] = static_cast<std::int64_t>(i);
  using Kind = SentencePieceModel::Kind;
  for (const auto& piece : model.pieces) {
    if (piece.kind != Kind::control && piece.kind != Kind::user_defined) continue;
    const std::int64_t id = ids.at(piece.text);
    controls[id] =
        object({{"id", id}, {"content", piece.text}, {"special", piece.kind == Kind::control}, {"normalized", false}});
  }
  for (std::int64_t i = 0; i < (style == PieceStyle::t5 ? extra_ids : 0); ++i) {
    const std::string token = "<extra_id_" + std::to_string(i) + ">";
    controls[ids.at(token)] =
        object({{"id", ids.at(token)}, {"content", token}, {"special", true}, {"normalized", false}});
  }

  Parts parts;
  normalizer_parts(folder, style, model, parts);
  end_parts(folder, style, ids, parts);
  Json::Array added;
  for (auto& [id, token] : added_tokens(folder, ids, std::move(controls))) added.push_back(std::move(token));
  parts.added_tokens = read_added_tokens(Json(std::move(added)));
  const std::int64_t unknown = style == PieceStyle::xlm_roberta ? 3 : model.unknown_id;
  if (unknown < 0 || static_cast<std::size_t>(unknown) >= pieces.size()) {
    throw Error(ErrorKind::corrupted,
                "unk_id " + std::to_string(unknown) + " of " + std::to_string(pieces.size()) + " pieces");
  }
  if (model.algorithm == SentencePieceModel::Algorithm::unigram) {
    parts.model = make_unigram(std::move(pieces), static_cast<std::size_t>(unknown),
                               style == PieceStyle::llama && model.byte_fallback);
    return parts;
  }
  if (model.algorithm != SentencePieceModel::Algorithm::bpe) {
    throw Error(ErrorKind::unsupported, "a SentencePiece model of whole words or characters");
  }
  BpeOptions options;
  options.unknown_token = pieces[static_cast<std::size_t>(unknown)].token;
  options.fuse_unknown = true;
  options.byte_fallback = style == PieceStyle::llama && model.byte_fallback;
  Vocabulary vocabulary;
  for (std::size_t i = 0; i < pieces.size(); ++i) vocabulary.add(pieces[i].token, static_cast<std::int32_t>(i));
  vocabulary.index();
  parts.model = make_bpe(std::move(vocabulary), merges_of(model), std::move(options));
  return parts;
}

}  // namespace

Parts read_parts_of_text(std::string_view text, std::string_view where) {
  try {
    return read_parts(Json::parse(text, ""));
  } catch (const Error& error) {
    throw error.within(where);
  }
}

Parts read_legacy_parts(const Path& path, const Json& config, const Json& specials) {
  const Json* named = config.find("tokenizer_class");
  const Folder folder{path, config, specials,
                      named != nullptr && named->is_string() ? named->as_string() : std::string()};
  const auto read = [](const char* where, const auto& make) {
    try {
      return read_parts(make());
    } catch (const Error& error) {
      throw error.within(where);
    }
  };
  if (is_file(path / "vocab.txt")) return read("vocab.txt", [&] { return from_vocab_txt(folder); });
  if (is_file(path / "vocab.json") && is_file(path / "merges.txt")) {
    return read("vocab.json", [&] { return from_vocab_json(folder); });
  }
  for (const char* name : {"spiece.model", "sentencepiece.bpe.model", "tokenizer.model"}) {
    if (!is_file(path / name)) continue;
    try {
      return from_sentencepiece(folder, name);
    } catch (const Error& error) {
      throw error.within(name);
    }
  }
  throw Error(ErrorKind::not_found,
              "no tokenizer: looked for tokenizer.json, vocab.txt, vocab.json with merges.txt, spiece.model, "
              "sentencepiece.bpe.model and tokenizer.model");
}

}  // namespace accelerate::text
