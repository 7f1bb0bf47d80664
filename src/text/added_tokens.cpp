#include "text/added_tokens.hpp"

#include <algorithm>

namespace accelerate::text {

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens, const Model& model, const Normalizer* normalizer) {
  auto next_id = static_cast<std::int32_t>(model.size());
  Workspace work;
  for (AddedToken token : tokens) {
    if (token.content.empty()) continue;
    token.id = ids_.find(token.content);
    if (token.id < 0) token.id = model.vocabulary().find(token.content);
    if (token.id < 0) {
      token.id = next_id++;
      ++beyond_model_;
    }
    std::string normalized = token.content;
    if (token.normalized && normalizer != nullptr) {
      AlignedText text;
      text.assign(token.content, 0, false);
      normalizer->apply(text, work);
      normalized = text.view();
    }
    ids_.set(token.content, token.id);
    if (token.special) special_.set(token.content, token.id);
    const std::int32_t id = token.id;
    entries_[id] = {std::move(token), std::move(normalized)};
  }
  for (const auto& [id, entry] : entries_) sorted_.push_back(entry.token);
  raw_.build(entries_, false);
  normalized_.build(entries_, true);
}

void AddedTokens::Matcher::build(const std::map<std::int32_t, Entry>& entries, bool normalized) {
  std::vector<std::pair<std::string_view, std::int32_t>> keys;
  for (const auto& [id, entry] : entries) {
    const std::string& key = normalized ? entry.normalized : entry.token.content;
    if (entry.token.normalized != normalized || key.empty()) continue;
    keys.emplace_back(key, id);
    bool& seen = starts[static_cast<unsigned char>(key[0])];
    if (!seen) first_bytes += key[0];
    seen = true;
  }
  trie.build(std::move(keys));
}

std::size_t AddedTokens::Matcher::next_start(std::string_view text, std::size_t from) const {
  if (first_bytes.size() == 1) {
    return std::min(text.find(first_bytes[0], from), text.size());
  }
  while (from < text.size() && !starts[static_cast<unsigned char>(text[from])]) ++from;
  return from;
}

void AddedTokens::find(std::string_view text, bool normalized, std::uint32_t base, std::vector<Split>& out) const {
  const Matcher& matcher = normalized ? normalized_ : raw_;
  const Unicode& unicode = Unicode::get();
  const auto is_at = [&](std::size_t i, std::uint32_t classes) {
    return unicode.is(decode_at(text, i).value, classes);
  };
  const auto put = [&](std::size_t begin, std::size_t end, std::int32_t id) {
    if (begin < end)
      out.push_back({base + static_cast<std::uint32_t>(begin), base + static_cast<std::uint32_t>(end), id});
  };
  std::size_t done = 0;
  if (!matcher.trie.empty()) {
    for (std::size_t at = matcher.next_start(text, 0); at < text.size();) {
      Trie::Node node = Trie::kRoot;
      std::int32_t id = -1;
      std::size_t begin = at, end = at;
      for (std::size_t i = at; i < text.size() && matcher.trie.step(node, static_cast<unsigned char>(text[i])); ++i) {
        if (matcher.trie.value(node) < 0) continue;
        id = matcher.trie.value(node);
        end = i + 1;
      }
      at = matcher.next_start(text, id < 0 ? at + 1 : end);
      if (id < 0) continue;
      const AddedToken& token = entries_.find(id)->second.token;
      if (token.single_word) {
        const bool touches_left = begin > 0 && is_at(previous_start(text, begin), kWord);
        const bool touches_right = end < text.size() && is_at(end, kWord);
        if (touches_left || touches_right) continue;
      }
      while (token.lstrip && begin > done && is_at(previous_start(text, begin), kSpace)) {
        begin = previous_start(text, begin);
      }
      begin = std::max(begin, done);
      while (token.rstrip && end < text.size() && is_at(end, kSpace)) end += decode_at(text, end).length;
      put(done, begin, -1);
      put(begin, end, id);
      done = end;
    }
  }
  put(done, text.size(), -1);
}

std::optional<std::string_view> AddedTokens::text_of(std::int32_t id) const {
  const auto found = entries_.find(id);
  if (found == entries_.end()) return std::nullopt;
  return found->second.normalized;
}

std::vector<AddedToken> read_added_tokens(const Json& json) {
  std::vector<AddedToken> tokens;
  for (const Json& entry : json.items()) {
    AddedToken token;
    token.content = entry.at("content").as_string();
    token.special = bool_or(entry, "special", false);
    token.single_word = bool_or(entry, "single_word", false);
    token.lstrip = bool_or(entry, "lstrip", false);
    token.rstrip = bool_or(entry, "rstrip", false);
    token.normalized = bool_or(entry, "normalized", !token.special);
    tokens.push_back(std::move(token));
  }
  return tokens;
}

}  // namespace accelerate::text
