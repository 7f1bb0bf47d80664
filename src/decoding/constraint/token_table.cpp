#include "decoding/constraint/token_table.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

// Deeper trees would need more than their nodes hold; such tokens are never taken.
constexpr std::size_t kLongestToken = 60'000;

using Kind = TokenTable::Kind;

bool is_plain(std::string_view token) {
  std::size_t characters = 0;
  for (const char c : token) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == '"' || byte == '\\') return false;
    characters += (byte & 0xc0) != 0x80 ? 1 : 0;
  }
  return characters <= TokenTable::kMostCharacters && text::find_invalid_utf8(token) == std::string::npos;
}

bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_word(char c) { return is_lower(c) || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

Kind kind_of(std::string_view token) {
  if (!is_plain(token)) return Kind::other;
  const bool spaced = token.size() > 1 && token.front() == ' ';
  const std::string_view word = token.substr(spaced ? 1 : 0);
  if (std::ranges::all_of(word, is_lower)) return spaced ? Kind::spaced_lower : Kind::lower;
  if (std::ranges::all_of(word, is_word)) return spaced ? Kind::spaced_word : Kind::word;
  return Kind::plain;
}

}  // namespace

TokenTree::TokenTree(std::vector<std::pair<std::string_view, std::int32_t>> entries) {
  std::ranges::sort(entries);
  std::vector<std::uint32_t> path;  // nodes of the last token
  std::string_view last;
  const auto close = [&](std::size_t depth) {
    for (; path.size() > depth; path.pop_back()) nodes_[path.back()].end = static_cast<std::uint32_t>(nodes_.size());
  };
  for (const auto& [bytes, id] : entries) {
    std::size_t shared = 0;
    while (shared < bytes.size() && shared < last.size() && bytes[shared] == last[shared]) ++shared;
    close(shared);
    for (std::size_t i = shared; i < bytes.size(); ++i) {
      path.push_back(static_cast<std::uint32_t>(nodes_.size()));
      nodes_.push_back({.tokens = static_cast<std::uint32_t>(tokens_.size()),
                        .depth = static_cast<std::uint16_t>(i + 1),
                        .byte = static_cast<std::uint8_t>(bytes[i])});
    }
    tokens_.push_back(id);
    depth_ = std::max(depth_, bytes.size());
    last = bytes;
  }
  close(0);
  nodes_.push_back(
      {.end = static_cast<std::uint32_t>(nodes_.size() + 1), .tokens = static_cast<std::uint32_t>(tokens_.size())});
}

TokenTable::TokenTable(std::vector<std::string> tokens, std::vector<std::string> first) {
  std::size_t total = 0;
  for (const std::string& token : tokens) total += token.size();
  arena_.reserve(total);  // views into it are taken below
  begins_.push_back(0), first_begins_.push_back(0);
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    if (tokens[id].size() > kLongestToken) tokens[id].clear();
    arena_ += tokens[id];
    begins_.push_back(arena_.size());
    const bool differs = id < first.size() && first[id] != tokens[id];
    if (differs) {
      first_arena_ += first[id];
      other_as_first_.push_back(static_cast<std::int32_t>(id));
      first_begins_.push_back(first_arena_.size());
    }
  }
  std::vector<std::vector<std::pair<std::string_view, std::int32_t>>> entries(kKinds);
  std::vector<std::vector<std::uint64_t>> masks(kKinds, std::vector<std::uint64_t>(words()));
  for (std::size_t id = 0; id < size(); ++id) {
    const std::string_view token = bytes(static_cast<std::int32_t>(id));
    if (token.empty()) continue;
    const auto kind = static_cast<std::size_t>(kind_of(token));
    entries[kind].emplace_back(token, static_cast<std::int32_t>(id));
    put(masks[kind], static_cast<std::int32_t>(id), true);
  }
  for (std::size_t kind = 0; kind < kKinds; ++kind) {
    groups_.push_back({TokenTree(std::move(entries[kind])), std::move(masks[kind])});
  }
}

std::shared_ptr<const TokenTable> TokenTable::of(const text::Tokenizer& tokenizer) {
  std::int32_t most = static_cast<std::int32_t>(tokenizer.vocab_size());
  for (const text::AddedToken& token : tokenizer.added_tokens()) most = std::max(most, token.id + 1);
  const text::SpecialTokens& special = tokenizer.special_tokens();
  const auto is_role = [&](std::int32_t id) {
    return id == special.cls || id == special.sep || id == special.pad || id == special.mask || id == special.unk ||
           id == special.bos || id == special.eos;
  };
  std::vector<std::string> tokens(static_cast<std::size_t>(most)), first(tokens.size());
  for (std::int32_t id = 0; id < most; ++id) {
    if (is_role(id) || tokenizer.is_special(id)) continue;
    tokens[static_cast<std::size_t>(id)] = tokenizer.bytes_of(id, false);
    first[static_cast<std::size_t>(id)] = tokenizer.bytes_of(id, true);
  }
  return std::make_shared<const TokenTable>(std::move(tokens), std::move(first));
}

std::string_view TokenTable::bytes(std::int32_t id) const {
  if (id < 0 || static_cast<std::size_t>(id) >= size()) return {};
  const auto at = static_cast<std::size_t>(id);
  return std::string_view(arena_).substr(begins_[at], begins_[at + 1] - begins_[at]);
}

std::string_view TokenTable::first_bytes(std::int32_t id) const {
  const auto place = std::ranges::lower_bound(other_as_first_, id);
  if (place == other_as_first_.end() || *place != id) return bytes(id);
  const auto at = static_cast<std::size_t>(place - other_as_first_.begin());
  return std::string_view(first_arena_).substr(first_begins_[at], first_begins_[at + 1] - first_begins_[at]);
}

}  // namespace accelerate::decoding::constraint
