#include "text/legacy_files.hpp"

#include <algorithm>

#include "core/file.hpp"
#include "text/known_patterns.hpp"
#include "text/legacy_folder.hpp"

namespace accelerate::text {
namespace {

using Path = std::filesystem::path;

Json assemble(const Folder& folder, const TokenIds& vocabulary, Json tokenizer) {
  Json list = Json::array();
  for (auto& [id, token] : added_tokens(folder, vocabulary)) list.push(std::move(token));
  return tokenizer.set("added_tokens", std::move(list));
}

Json vocabulary_json(const TokenIds& vocabulary) {
  Json::Object members;
  members.reserve(vocabulary.size());
  for (const auto& [token, id] : vocabulary) members.emplace_back(token, id);
  return members;
}

// BERT and its kin: vocab.txt, a token a line.
Json from_vocab_txt(const Folder& folder) {
  const std::string text = read_file(folder.path / "vocab.txt");
  TokenIds vocabulary;
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
                        const TokenIds& ids) {
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
  TokenIds ids;
  for (const auto& [token, id] : listed.members()) ids[token] = id.as_int();
  const std::map<std::int64_t, Json> more = added_tokens(folder, ids);
  TokenIds all = ids;
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
  if (is_file(path / "source.spm") && is_file(path / "vocab.json")) {
    try {
      return from_marian(folder);
    } catch (const Error& error) {
      throw error.within("source.spm with vocab.json");
    }
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
              "no tokenizer: looked for tokenizer.json, vocab.txt, vocab.json with merges.txt or source.spm, "
              "spiece.model, sentencepiece.bpe.model and tokenizer.model");
}

}  // namespace accelerate::text
