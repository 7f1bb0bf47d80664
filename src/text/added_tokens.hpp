// Tokens that are looked for in the text itself, before any model sees it.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/components.hpp"
#include "text/trie.hpp"
#include "text/vocabulary.hpp"

namespace accelerate::text {

class AddedTokens {
 public:
  AddedTokens() = default;
  // In the order of the file. A token that the model has keeps the model's id; others are counted on from its size:
  // the ids that the file gives are not looked at, as the reference does not.
  AddedTokens(const std::vector<AddedToken>& tokens, const Model& model, const Normalizer* normalizer);

  bool has_raw() const { return !raw_.trie.empty(); }
  bool has_normalized() const { return !normalized_.trie.empty(); }
  // Splits `text` around the tokens matched before (raw) or after normalisation: leftmost, then longest. Offsets are
  // those of `text` plus `base`. Nothing for an empty text.
  void find(std::string_view text, bool normalized, std::uint32_t base, std::vector<Split>& out) const;

  const std::vector<AddedToken>& tokens() const { return sorted_; }
  std::int32_t id_of(std::string_view content) const { return ids_.find(content); }
  // How the token is handed to decoders: its normalised form where it is matched in that.
  std::optional<std::string_view> text_of(std::int32_t id) const;
  bool is_special(std::string_view content) const { return special_.find(content) >= 0; }
  // Tokens that the model's vocabulary lacks.
  std::size_t beyond_model() const { return beyond_model_; }

 private:
  struct Entry {
    AddedToken token;
    std::string normalized;
  };
  struct Matcher {
    Trie trie;  // values are ids
    std::array<bool, 256> starts{};
    std::string first_bytes;
    void build(const std::map<std::int32_t, Entry>& entries, bool normalized);
    std::size_t next_start(std::string_view text, std::size_t from) const;
  };

  std::map<std::int32_t, Entry> entries_;
  std::vector<AddedToken> sorted_;
  StringMap ids_, special_;
  Matcher raw_, normalized_;
  std::size_t beyond_model_ = 0;
};

// From the "added_tokens" array. Error{corrupted} for an entry without content.
std::vector<AddedToken> read_added_tokens(const Json& json);

}  // namespace accelerate::text
