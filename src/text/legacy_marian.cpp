// MarianTokenizer: pieces of a SentencePiece model, numbered by a vocabulary of their own.
#include <algorithm>

#include "core/file.hpp"
#include "text/legacy_folder.hpp"
#include "text/metaspace.hpp"
#include "text/models.hpp"
#include "text/pre_tokenizers.hpp"
#include "text/precompiled.hpp"
#include "text/sentencepiece_model.hpp"

namespace accelerate::text {
namespace {

// Ids by token as a file lists them.
Vocabulary read_vocabulary(const Folder& folder, const char* name) {
  Vocabulary vocabulary;
  try {
    const Json listed = Json::parse(read_file(folder.path / name), "");
    for (const auto& [token, id] : listed.members()) {
      if (id.as_int() < 0 || id.as_int() > std::numeric_limits<std::int32_t>::max()) {
        throw Error(ErrorKind::corrupted, "\"" + token + "\" has the id " + id.dump());
      }
      vocabulary.add(token, static_cast<std::int32_t>(id.as_int()));
    }
  } catch (const Error& error) {
    throw error.within(name);
  }
  vocabulary.index();
  return vocabulary;
}

// What another model finds, by its text in `source`; ids are spelled by `target`.
class Renumbered final : public Model {
 public:
  Renumbered(std::unique_ptr<Model> pieces, Vocabulary source, Vocabulary target, std::string unknown)
      : pieces_(std::move(pieces)),
        source_(std::move(source)),
        target_(std::move(target)),
        unknown_(std::move(unknown)) {
    unknown_id_ = source_.find(unknown_);
    for (std::size_t i = 0; i < target_.size(); ++i) {
      size_ = std::max(size_, static_cast<std::size_t>(target_.entry_id(i)) + 1);
    }
  }

  // All tokens are the text that they cover.
  void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace& work,
                std::vector<Token>& out) const override {
    const std::size_t first = out.size();
    pieces_->tokenize(text, begin, end, work, out);
    for (auto token = out.begin() + static_cast<std::ptrdiff_t>(first); token != out.end(); ++token) {
      const std::int32_t id = source_.find(text.substr(token->begin, token->end - token->begin));
      token->id = id < 0 ? unknown_id_ : id;
    }
  }
  std::string_view type() const override { return pieces_->type(); }
  const Vocabulary& vocabulary() const override { return target_; }
  std::size_t size() const override { return size_; }
  std::optional<std::string> unknown_token() const override { return unknown_; }

 private:
  std::unique_ptr<Model> pieces_;
  Vocabulary source_, target_;
  std::string unknown_;
  std::int32_t unknown_id_ = -1;
  std::size_t size_ = 0;
};

constexpr std::string_view kMark = "\u2581";

// A text as SentencePiece sees it: words, each behind a mark, none for what the text ends with.
//
// Models for several target languages are told which by ">>fra<<" in front of a text; those that are not known are the
// unknown token.
class Words final : public PreTokenizer {
 public:
  Words(const Vocabulary& vocabulary, std::int32_t unknown) : unknown_(unknown) {
    for (std::size_t i = 0; i < vocabulary.size(); ++i) {
      const std::string_view token = vocabulary.entry_token(i);
      if (token.starts_with(kBegin) && token.ends_with(kEnd)) codes_.set(token, vocabulary.entry_id(i));
    }
  }

  void apply(Workspace& work) const override {
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      std::size_t at = 0;
      if (const std::size_t close = text.find(kEnd); text.starts_with(kBegin) && close != std::string_view::npos) {
        at = close + kEnd.size();
        const std::int32_t known = codes_.find(text.substr(0, at));
        work.other_splits.push_back({base, base + static_cast<std::uint32_t>(at), known < 0 ? unknown_ : known});
      }
      const std::size_t end = trimmed(text).size();
      while (at < end) {
        const std::size_t space = std::min(text.find(' ', at), end);
        if (space > at) {
          work.other_splits.push_back(
              {base + static_cast<std::uint32_t>(at), base + static_cast<std::uint32_t>(space)});
        }
        at = space + 1;
      }
    });
    prepend_to_splits(work, kMark, [](std::string_view) { return true; });
  }

 private:
  static std::string_view trimmed(std::string_view text) {
    while (!text.empty()) {
      const std::size_t end = text.ends_with(' ') ? 1 : text.ends_with(kMark) ? kMark.size() : 0;
      if (end == 0) break;
      text.remove_suffix(end);
    }
    return text;
  }

  static constexpr std::string_view kBegin = ">>", kEnd = "<<";
  StringMap codes_;
  std::int32_t unknown_;
};

// A control is never found in a text, nor is a piece that is not in use.
std::unique_ptr<Model> model_of(const SentencePieceModel& model) {
  using Kind = SentencePieceModel::Kind;
  if (model.algorithm != SentencePieceModel::Algorithm::unigram) {
    throw Error(ErrorKind::unsupported, "is a SentencePiece model of another kind than unigram");
  }
  std::vector<ScoredToken> pieces{{"", 0}};  // what no piece covers
  for (const SentencePieceModel::Piece& piece : model.pieces) {
    if (piece.kind == Kind::normal || piece.kind == Kind::user_defined) pieces.push_back({piece.text, piece.score});
  }
  return make_unigram(std::move(pieces), 0, false);
}

// Pieces side by side, without the spaces at both ends.
Json joined_pieces() {
  constexpr std::int64_t kAll = 1 << 30;
  const Json space =
      object({{"type", "Replace"}, {"pattern", object({{"String", std::string(kMark)}})}, {"content", " "}});
  const Json ends = object({{"type", "Strip"}, {"content", " "}, {"start", kAll}, {"stop", kAll}});
  return object({{"type", "Sequence"}, {"decoders", Json::Array{space, typed("Fuse"), ends}}});
}

}  // namespace

Parts from_marian(const Folder& folder) {
  const bool separate = folder.flag("separate_vocabs", false);
  Vocabulary source = read_vocabulary(folder, "vocab.json");
  Vocabulary target = separate ? read_vocabulary(folder, "target_vocab.json") : source;
  const SentencePieceModel model = parse_sentencepiece(read_file(folder.path / "source.spm"));
  const std::string unknown = folder.token("unk_token", "<unk>"), end = folder.token("eos_token", "</s>");
  TokenIds ids;
  std::map<std::int64_t, Json> specials;
  for (const std::string& token : {unknown, end, folder.token("pad_token", "<pad>")}) {
    const std::int32_t id = source.find(token);
    if (id < 0) throw Error(ErrorKind::corrupted, "lacks the special token \"" + token + "\"", "vocab.json");
    ids[token] = id;
    specials[id] = object({{"id", std::int64_t{id}}, {"content", token}, {"special", true}, {"normalized", false}});
  }
  Parts parts;
  if (!model.precompiled_charsmap.empty()) parts.normalizer = make_precompiled(model.precompiled_charsmap);
  parts.pre_tokenizer = std::make_unique<Words>(source, source.find(unknown));
  parts.post_processor = PostProcessor::make(template_of("$A " + end, "$A $B:1 " + end + ":1", ids));
  parts.decoder = Decoder::make(joined_pieces());
  Json::Array added;
  for (auto& [id, token] : added_tokens(folder, ids, std::move(specials))) added.push_back(std::move(token));
  parts.added_tokens = read_added_tokens(Json(std::move(added)));
  parts.model = std::make_unique<Renumbered>(model_of(model), std::move(source), std::move(target), unknown);
  return parts;
}

}  // namespace accelerate::text
