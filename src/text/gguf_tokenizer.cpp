#include "text/gguf_tokenizer.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "text/known_patterns.hpp"
#include "text/legacy_folder.hpp"
#include "text/sentencepiece_model.hpp"

namespace accelerate::text {
namespace {

using Kind = SentencePieceModel::Kind;  // GGUF numbers them as SentencePiece does

// How byte-level vocabularies cut texts into words, by ggml.pre.
struct Words {
  std::string_view name;
  KnownPattern pattern = KnownPattern::gpt2;
  bool digits = false;       // each digit is a word, before the pattern is looked at
  bool compose = false;      // NFC first
  bool whole_words = false;  // a word that is a token is not merged (ignore_merges)
  bool begins = false;       // with the first token, unless the file says
};
constexpr Words kWords[] = {
    {"default"},
    {"gpt-2"},
    {"olmo"},
    {"phi-2"},
    {"roberta-bpe"},
    {.name = "smollm", .digits = true},
    {.name = "starcoder", .digits = true},
    {.name = "refact", .digits = true},
    {.name = "qwen2", .pattern = KnownPattern::cl100k_1, .compose = true},
    {.name = "deepseek-r1-qwen", .pattern = KnownPattern::cl100k_1, .compose = true},
    {.name = "llama-bpe", .pattern = KnownPattern::cl100k_3, .whole_words = true, .begins = true},
    {.name = "llama3", .pattern = KnownPattern::cl100k_3, .whole_words = true, .begins = true},
    {.name = "llama-v3", .pattern = KnownPattern::cl100k_3, .whole_words = true, .begins = true},
    {.name = "gpt-4o", .pattern = KnownPattern::o200k},
    {.name = "llama4", .pattern = KnownPattern::o200k, .begins = true},
};

Json sequence(const char* parts, Json::Array list) { return object({{"type", "Sequence"}, {parts, std::move(list)}}); }

Json byte_level(bool regex) {
  return object({{"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", regex}});
}

Json replace(const char* from, const char* to) {
  return object({{"type", "Replace"}, {"pattern", object({{"String", from}})}, {"content", to}});
}

class Reader {
 public:
  Reader(const Config& metadata, bool merges_by_id) : metadata_(metadata), merges_by_id_(merges_by_id) {
    tokens_ = metadata.require<std::vector<std::string>>("ggml.tokens");
    if (tokens_.empty()) metadata.fail("ggml.tokens", "is empty");
    kinds_ = metadata.get<Dims>("ggml.token_type", Dims(tokens_.size(), static_cast<int>(Kind::normal)));
    if (kinds_.size() != tokens_.size()) fail_count("ggml.token_type", kinds_.size());
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      if (find_invalid_utf8(tokens_[i]) == std::string_view::npos) continue;
      metadata.fail("ggml.tokens", "token " + std::to_string(i) + " is no UTF-8");
    }
    if (merges_by_id_) respell_spaces();
  }

  Parts parts() {
    const auto model = metadata_.require<std::string>("ggml.model");
    if (model == "gpt2") {
      byte_level_parts();
    } else if (model == "llama") {
      sentencepiece_parts();
    } else {
      metadata_.fail("ggml.model", "is \"" + model + "\", expected gpt2 or llama", ErrorKind::unsupported);
    }
    add_tokens();
    return std::move(parts_);
  }

 private:
  [[noreturn]] void fail_count(std::string_view key, std::size_t count) const {
    metadata_.fail(key, "has " + std::to_string(count) + " values for " + std::to_string(tokens_.size()) + " tokens");
  }

  Kind kind(std::size_t id) const { return static_cast<Kind>(kinds_[id]); }

  // Gemma's tokens of several spaces are written as such.
  void respell_spaces() {
    for (std::string& token : tokens_) {
      if (token.size() < 2 || token.find_first_not_of(' ') != std::string::npos) continue;
      const std::size_t count = token.size();
      token.clear();
      for (std::size_t i = 0; i < count; ++i) token += "\u2581";
    }
  }

  std::optional<std::string> token(std::string_view key) const {
    const std::optional<std::int64_t> id = metadata_.find<std::int64_t>(key);
    if (!id) return std::nullopt;
    if (*id < 0 || static_cast<std::size_t>(*id) >= tokens_.size()) {
      metadata_.fail(
          key, "is " + std::to_string(*id) + ", expected an id of the " + std::to_string(tokens_.size()) + " tokens");
    }
    return tokens_[static_cast<std::size_t>(*id)];
  }

  Vocabulary vocabulary() const {
    Vocabulary vocabulary;
    std::size_t bytes = 0;
    for (const std::string& token : tokens_) bytes += token.size();
    vocabulary.reserve(tokens_.size(), bytes);
    for (std::size_t i = 0; i < tokens_.size(); ++i) vocabulary.add(tokens_[i], static_cast<std::int32_t>(i));
    vocabulary.index();
    return vocabulary;
  }

  Merges listed_merges() const {
    Merges merges;
    for (const std::string& line : metadata_.require<std::vector<std::string>>("ggml.merges")) {
      const std::size_t space = line.find(' ', 1);
      if (space == std::string::npos || space + 1 == line.size()) {
        metadata_.fail("ggml.merges", "has \"" + line + "\", expected two parts with a space between");
      }
      merges.emplace_back(line.substr(0, space), line.substr(space + 1));
    }
    return merges;
  }

  // Those that the scores imply, or in Gemma's files the order of the tokens.
  Merges implied_merges() const {
    const auto scores = metadata_.get<std::vector<double>>("ggml.scores", std::vector<double>(tokens_.size()));
    if (scores.size() != tokens_.size()) fail_count("ggml.scores", scores.size());
    SentencePieceModel model;
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      model.pieces.push_back({tokens_[i], merges_by_id_ ? -static_cast<double>(i) : scores[i], kind(i)});
    }
    return merges_of(model);
  }

  const Words& words() const {
    const auto name = metadata_.get<std::string>("ggml.pre", "default");
    const auto* found = std::ranges::find(kWords, name, &Words::name);
    if (found != std::end(kWords)) return *found;
    metadata_.fail("ggml.pre",
                   "is \"" + name + "\", a way to cut words that is not known; there are " +
                       joined(kWords, ", ", [](const Words& known) { return known.name; }),
                   ErrorKind::unsupported);
  }

  void byte_level_parts() {
    const Words& words = this->words();
    if (words.compose) parts_.normalizer = Normalizer::make(typed("NFC"));
    Json::Array steps;
    if (words.digits) steps.push_back(object({{"type", "Digits"}, {"individual_digits", true}}));
    if (words.pattern != KnownPattern::gpt2) {
      steps.push_back(object({{"type", "Split"},
                              {"pattern", object({{"Regex", expression_of(words.pattern)}})},
                              {"behavior", "Isolated"},
                              {"invert", false}}));
    }
    steps.push_back(byte_level(words.pattern == KnownPattern::gpt2));
    parts_.pre_tokenizer = PreTokenizer::make(sequence("pretokenizers", std::move(steps)));
    parts_.model = make_bpe(vocabulary(), listed_merges(), {.ignore_merges = words.whole_words});
    parts_.decoder = Decoder::make(byte_level(true));
    add_template(words.begins);
  }

  void sentencepiece_parts() {
    const bool prefix = metadata_.get("ggml.add_space_prefix", !merges_by_id_);
    Json::Array steps;
    if (prefix) steps.push_back(object({{"type", "Prepend"}, {"prepend", "\u2581"}}));
    steps.push_back(replace(" ", "\u2581"));
    parts_.normalizer = Normalizer::make(sequence("normalizers", std::move(steps)));
    const bool listed = metadata_.has("ggml.merges");
    parts_.model = make_bpe(vocabulary(), listed ? listed_merges() : implied_merges(),
                            {.unknown_token = token("ggml.unknown_token_id").value_or(tokens_[0]),
                             .fuse_unknown = true,
                             .byte_fallback = true});
    Json::Array decoding{replace("\u2581", " "), typed("ByteFallback"), typed("Fuse")};
    if (prefix) decoding.push_back(object({{"type", "Strip"}, {"content", " "}, {"start", 1}, {"stop", 0}}));
    parts_.decoder = Decoder::make(sequence("decoders", std::move(decoding)));
    add_template(true);
  }

  // What goes before and after a text.
  void add_template(bool begins) {
    const auto begin = metadata_.get("ggml.add_bos_token", begins) ? token("ggml.bos_token_id") : std::nullopt;
    const auto end = metadata_.get("ggml.add_eos_token", false) ? token("ggml.eos_token_id") : std::nullopt;
    if (!begin && !end) return;
    TokenIds ids;
    Json::Array single, pair;
    const auto special = [&](const std::optional<std::string>& text, std::string_view id, int type, Json::Array& to) {
      if (!text) return;
      ids[*text] = metadata_.require<std::int64_t>(id);
      to.push_back(object({{"SpecialToken", object({{"id", *text}, {"type_id", type}})}}));
    };
    const auto text = [&](const char* name, int type, Json::Array& to) {
      special(begin, "ggml.bos_token_id", type, to);
      to.push_back(object({{"Sequence", object({{"id", name}, {"type_id", type}})}}));
      special(end, "ggml.eos_token_id", type, to);
    };
    text("A", 0, single);
    text("A", 0, pair);
    text("B", 1, pair);
    Json tokens = Json::object();
    for (const auto& [token, id] : ids) {
      tokens.set(token, object({{"id", token}, {"ids", Json::Array{id}}, {"tokens", Json::Array{token}}}));
    }
    parts_.post_processor = PostProcessor::make(object({{"type", "TemplateProcessing"},
                                                        {"single", std::move(single)},
                                                        {"pair", std::move(pair)},
                                                        {"special_tokens", std::move(tokens)}}));
  }

  void add_tokens() {
    for (std::size_t i = 0; i < tokens_.size(); ++i) {
      const bool special = kind(i) == Kind::control || kind(i) == Kind::unknown;
      if ((!special && kind(i) != Kind::user_defined) || tokens_[i].empty()) continue;
      parts_.added_tokens.push_back(
          {.id = static_cast<std::int32_t>(i), .content = tokens_[i], .normalized = false, .special = special});
    }
  }

  const Config& metadata_;
  bool merges_by_id_;
  std::vector<std::string> tokens_;
  Dims kinds_;
  Parts parts_;
};

}  // namespace

Parts gguf_parts(const Config& metadata, bool merges_by_id) { return Reader(metadata, merges_by_id).parts(); }

}  // namespace accelerate::text
