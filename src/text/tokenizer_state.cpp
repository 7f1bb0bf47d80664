#include "text/tokenizer_state.hpp"

#include <algorithm>
#include <limits>

#include "text/word_cache.hpp"

namespace accelerate::text {
namespace {

constexpr std::size_t kLongestText = 0xf0000000;  // bytes; positions have 32 bits

void check_text(std::string_view text) {
  if (text.size() > kLongestText / 4) {
    throw Error(ErrorKind::invalid_input, "a text of " + std::to_string(text.size()) + " bytes is too long");
  }
  const std::size_t invalid = find_invalid_utf8(text);
  if (invalid != std::string_view::npos) {
    throw Error(ErrorKind::invalid_input, "the text is no UTF-8 at byte " + std::to_string(invalid), "text",
                "convert it to UTF-8 first");
  }
}

// How a tokenizer.json section and the caller's options become what is cut.
std::optional<Truncation> truncation_for(const std::optional<Truncation>& of_file, Side side,
                                         const EncodeOptions& options) {
  if (options.max_length) {
    return Truncation{*options.max_length, options.strategy, options.stride, options.truncation_side.value_or(side)};
  }
  return options.file_truncation ? of_file : std::nullopt;
}

// What is left for text when the special tokens have theirs.
Truncation without_special(Truncation truncation, std::size_t special) {
  if (truncation.max_length < special) {
    throw Error(ErrorKind::invalid_input, "max_length " + std::to_string(truncation.max_length) + " is less than the " +
                                              std::to_string(special) + " special tokens that are added");
  }
  truncation.max_length -= special;
  return truncation;
}

// Code point of each byte; empty for ASCII, where they are the same.
void index_chars(std::string_view text, std::vector<std::uint32_t>& char_of_byte) {
  char_of_byte.clear();
  if (is_ascii(text)) return;
  char_of_byte.resize(text.size() + 1);
  std::uint32_t count = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xc0) != 0x80) ++count;
    char_of_byte[i] = count - 1;
  }
  char_of_byte[text.size()] = count;
}

Offset to_chars(Origin origin, const std::vector<std::uint32_t>& char_of_byte) {
  if (char_of_byte.empty() || origin.begin + 1 >= char_of_byte.size()) return {origin.begin, origin.end};
  return {char_of_byte[origin.begin], char_of_byte[std::min<std::size_t>(origin.end, char_of_byte.size() - 1)]};
}

}  // namespace

Tokenizer::State::State(Parts made) : parts(std::move(made)) {
  added = AddedTokens(parts.added_tokens, *parts.model, parts.normalizer.get());
  if (parts.pre_tokenizer) {
    track_always = parts.pre_tokenizer->needs_origins();
    // Byte-level models work on the bytes; spelling them out would only cost time.
    if (parts.pre_tokenizer->ends_in_byte_alphabet() && parts.model->use_raw_bytes()) {
      parts.pre_tokenizer->keep_raw_bytes();
    }
  }
  if (parts.post_processor) {
    single_pieces = parts.post_processor->pieces(false);
    pair_pieces = parts.post_processor->pieces(true);
  } else {
    single_pieces = {{0, 0, {}}};
    pair_pieces = {{0, 0, {}}, {1, 1, {}}};
  }
}

void Tokenizer::State::split(std::string_view text, bool tracked, Workspace& work) const {
  check_text(text);
  tracked = tracked || track_always;
  work.splits.clear();
  work.other_splits.clear();
  if (added.has_raw()) {
    added.find(text, false, 0, work.other_splits);
  } else if (!text.empty()) {
    work.other_splits.push_back({0, static_cast<std::uint32_t>(text.size())});
  }
  const auto normalize_into = [&](AlignedText& piece, std::uint32_t base) {
    if (parts.normalizer) parts.normalizer->apply(piece, work);
    if (added.has_normalized()) {
      added.find(piece.view(), true, base, work.splits);
    } else if (piece.size() > 0) {
      work.splits.push_back({base, base + static_cast<std::uint32_t>(piece.size())});
    }
  };
  if (work.other_splits.size() == 1 && work.other_splits[0].token < 0) {
    work.text.assign(text, 0, tracked);
    normalize_into(work.text, 0);
  } else {
    work.text.clear(tracked);
    AlignedText piece;
    for (const Split& part : work.other_splits) {
      piece.assign(text.substr(part.begin, part.end - part.begin), part.begin, tracked);
      const auto base = static_cast<std::uint32_t>(work.text.size());
      if (part.token >= 0) {
        work.splits.push_back({base, base + static_cast<std::uint32_t>(piece.size()), part.token});
      } else {
        normalize_into(piece, base);
      }
      work.text.append(piece, 0, piece.size());
    }
  }
  if (parts.pre_tokenizer && !work.splits.empty()) parts.pre_tokenizer->apply(work);
}

void Tokenizer::State::tokenize(const Truncation* truncation, Workspace& work) const {
  const Model& model = *parts.model;
  const std::string_view text = work.text.view();
  const bool caches = model.caches_words();
  std::vector<Token>& out = work.tokens;
  const auto tokens_of = [&](const Split& split) {
    if (split.token >= 0) {
      out.push_back({split.token, split.begin, split.end, true});
    } else if (caches) {
      with_word_cache(work, text, split.begin, split.end, out,
                      [&] { model.tokenize(text, split.begin, split.end, work, out); });
    } else {
      model.tokenize(text, split.begin, split.end, work, out);
    }
  };
  out.clear();
  work.first_token.clear();
  if (truncation == nullptr) {
    for (const Split& split : work.splits) {
      work.first_token.push_back(static_cast<std::uint32_t>(out.size()));
      tokens_of(split);
    }
    work.first_token.push_back(static_cast<std::uint32_t>(out.size()));
    return;
  }
  // One token more than may stay shows that something was cut.
  if (truncation->side == Side::right) {
    for (std::size_t i = 0; i < work.splits.size() && out.size() <= truncation->max_length; ++i)
      tokens_of(work.splits[i]);
    return;
  }
  // From the end: each split's tokens turned round as they come, and all turned back at last.
  for (std::size_t i = work.splits.size(); i-- > 0 && out.size() <= truncation->max_length;) {
    const std::size_t before = out.size();
    tokens_of(work.splits[i]);
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(before), out.end());
  }
  std::reverse(out.begin(), out.end());
}

Encoding Tokenizer::State::encode_text(std::string_view text, int sequence, Workspace& work) const {
  split(text, true, work);
  tokenize(nullptr, work);
  index_chars(text, work.char_of_byte);
  Encoding out;
  const std::size_t count = work.tokens.size();
  out.ids.reserve(count);
  out.tokens.reserve(count);
  out.offsets.reserve(count);
  out.word_ids.reserve(count);
  for (std::size_t word = 0; word < work.splits.size(); ++word) {
    const Split& split = work.splits[word];
    for (std::uint32_t i = work.first_token[word]; i < work.first_token[word + 1]; ++i) {
      const Token& token = work.tokens[i];
      out.ids.push_back(token.id);
      Origin origin;
      if (token.begin < token.end) {
        origin = work.text.origin(token.begin, token.end);
      } else {
        origin.begin = origin.end = work.text.origin_of_char(split.begin).begin + (token.begin - split.begin);
      }
      out.offsets.push_back(to_chars(origin, work.char_of_byte));
      const auto spelling = token.spelled ? std::nullopt : parts.model->vocabulary().token(token.id);
      out.tokens.emplace_back(spelling.value_or(work.text.view(token.begin, token.end)));
      out.word_ids.push_back(static_cast<std::int32_t>(word));
    }
  }
  out.type_ids.assign(count, sequence);
  out.sequence_ids.assign(count, sequence);
  out.special_tokens_mask.assign(count, 0);
  out.attention_mask.assign(count, 1);
  return out;
}

Encoding Tokenizer::State::encode(const TextInput& input, const EncodeOptions& options, Workspace& work) const {
  const std::optional<Truncation> truncation = truncation_for(parts.truncation, settings.truncation_side, options);
  const std::size_t special = parts.post_processor && options.add_special_tokens
                                  ? parts.post_processor->added_tokens(input.pair.has_value())
                                  : 0;
  std::optional<Truncation> for_text;
  if (truncation) for_text = without_special(*truncation, special);

  std::vector<Encoding> encodings;
  encodings.push_back(encode_text(input.text, 0, work));
  if (input.pair) encodings.push_back(encode_text(*input.pair, 1, work));
  if (for_text) truncate_encodings(encodings, *for_text);
  const bool truncated = std::any_of(encodings.begin(), encodings.end(), [](const Encoding& e) { return e.truncated; });
  if (parts.post_processor) {
    encodings = parts.post_processor->process(std::move(encodings), options.add_special_tokens);
  }
  Encoding merged = merge_encodings(std::move(encodings));
  merged.truncated = truncated;
  return merged;
}

void Tokenizer::State::encode_text_ids(std::string_view text, const Truncation* truncation, Workspace& work,
                                       std::vector<std::int32_t>& ids) const {
  split(text, false, work);
  tokenize(truncation, work);
  ids.resize(work.tokens.size());
  for (std::size_t i = 0; i < ids.size(); ++i) ids[i] = work.tokens[i].id;
}

void Tokenizer::State::encode_ids(const TextInput& input, const EncodeOptions& options, Workspace& work,
                                  RaggedIds& out) const {
  const auto& pieces = input.pair ? pair_pieces : single_pieces;
  if (!pieces) {
    const Encoding encoding = encode(input, options, work);
    out.ids.insert(out.ids.end(), encoding.ids.begin(), encoding.ids.end());
    out.type_ids.insert(out.type_ids.end(), encoding.type_ids.begin(), encoding.type_ids.end());
    out.row_starts.push_back(out.ids.size());
    out.truncated.push_back(encoding.truncated ? 1 : 0);
    return;
  }
  const std::optional<Truncation> truncation = truncation_for(parts.truncation, settings.truncation_side, options);
  const bool cuts_first = truncation && truncation->strategy != TruncationStrategy::only_second;
  std::size_t special = 0;
  for (const auto& piece : *pieces) special += options.add_special_tokens ? piece.ids.size() : 0;
  std::optional<Truncation> for_text;
  if (truncation) for_text = without_special(*truncation, special);

  encode_text_ids(input.text, cuts_first ? &*truncation : nullptr, work, work.ids[0]);
  work.ids[1].clear();
  if (input.pair) encode_text_ids(*input.pair, truncation ? &*truncation : nullptr, work, work.ids[1]);
  Lengths lengths{work.ids[0].size(), work.ids[1].size()};
  if (for_text) {
    std::optional<std::size_t> second;
    if (input.pair) second = lengths.second;
    lengths = truncated_lengths(lengths.first, second, *for_text);
    check_stride(work.ids[0].size(), lengths.first, for_text->stride);
    check_stride(work.ids[1].size(), lengths.second, for_text->stride);
  }
  const std::size_t kept[2] = {lengths.first, lengths.second};
  for (const auto& piece : *pieces) {
    const std::size_t before = out.ids.size();
    if (piece.sequence >= 0) {
      const std::vector<std::int32_t>& ids = work.ids[piece.sequence];
      const std::size_t count = kept[piece.sequence];
      const bool left = for_text && for_text->side == Side::left;
      const auto from = ids.begin() + static_cast<std::ptrdiff_t>(left ? ids.size() - count : 0);
      out.ids.insert(out.ids.end(), from, from + static_cast<std::ptrdiff_t>(count));
    } else if (options.add_special_tokens) {
      out.ids.insert(out.ids.end(), piece.ids.begin(), piece.ids.end());
    }
    out.type_ids.insert(out.type_ids.end(), out.ids.size() - before, piece.type_id);
  }
  out.row_starts.push_back(out.ids.size());
  out.truncated.push_back(kept[0] < work.ids[0].size() || kept[1] < work.ids[1].size() ? 1 : 0);
}

std::optional<std::string> Tokenizer::State::token_text(std::int32_t id) const {
  if (const auto found = added.text_of(id)) return std::string(*found);
  if (const auto found = parts.model->vocabulary().token(id)) return std::string(*found);
  return std::nullopt;
}

}  // namespace accelerate::text
