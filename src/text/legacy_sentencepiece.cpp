#include <algorithm>

#include "core/file.hpp"
#include "text/legacy_folder.hpp"
#include "text/precompiled.hpp"
#include "text/sentencepiece_model.hpp"

namespace accelerate::text {
namespace {

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

void end_parts(const Folder& folder, PieceStyle style, const TokenIds& ids, Parts& parts) {
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

}  // namespace

Parts from_sentencepiece(const Folder& folder, std::string_view name) {
  SentencePieceModel model = parse_sentencepiece(read_file(folder.path / name));
  const PieceStyle style = style_of(folder, name);
  const Json* extra = folder.config.find("extra_ids");
  const std::int64_t extra_ids =
      extra == nullptr || extra->is_null() ? 100 : std::clamp<std::int64_t>(extra->as_int(), 0, 100000);
  std::vector<ScoredToken> pieces = ordered_pieces(model, style, extra_ids);
  TokenIds ids;
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

}  // namespace accelerate::text
