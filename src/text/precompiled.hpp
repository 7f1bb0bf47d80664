// SentencePiece's precompiled character map (Kudo & Richardson 2018): a double-array trie of byte strings, each with
// an offset into a blob of NUL-terminated replacements.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "text/components.hpp"

namespace accelerate::text {

class Precompiled {
 public:
  // `charsmap`: the map as the file holds it (bytes of the trie, trie, replacements).
  // Error{corrupted} when the trie is empty, lengths disagree or a replacement is no UTF-8.
  explicit Precompiled(std::string charsmap);
  void apply(AlignedText& text) const;

 private:
  std::optional<std::string_view> find(std::string_view piece) const;
  std::uint32_t unit(std::size_t index) const;
  std::size_t grapheme_end(std::string_view text, std::size_t begin) const;

  std::vector<std::uint32_t> trie_;
  std::string replacements_;
  std::array<bool, 128> ascii_stays_{};
};

// Normalizers that are not made from JSON.
std::unique_ptr<Normalizer> make_precompiled(std::string charsmap);
std::unique_ptr<Normalizer> make_normalizer_sequence(std::vector<std::unique_ptr<Normalizer>> parts);

}  // namespace accelerate::text
