// The tokens of a vocabulary as the bytes that they add to a text, in the order in which an automaton reads them.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "text/tokenizer.hpp"

namespace accelerate::decoding::constraint {

// Sets or clears a token's bit: bit i % 64 of word i / 64.
inline void put(std::span<std::uint64_t> mask, std::int32_t token, bool allowed) {
  const auto at = static_cast<std::size_t>(token);
  const std::uint64_t bit = std::uint64_t{1} << (at % 64);
  mask[at / 64] = allowed ? mask[at / 64] | bit : mask[at / 64] & ~bit;
}

// A prefix tree in one row, each node before its children: what does not match is passed over by one jump.
class TokenTree {
 public:
  struct Node {
    std::uint32_t end = 0;     // one past the last node below this one
    std::uint32_t tokens = 0;  // where its own begin in tokens(); they end where the next node's begin
    std::uint16_t depth = 0;   // of bytes, this one included
    std::uint8_t byte = 0;
  };
  // Tokens and their bytes, not empty.
  explicit TokenTree(std::vector<std::pair<std::string_view, std::int32_t>> entries);

  std::uint32_t size() const { return static_cast<std::uint32_t>(nodes_.size() - 1); }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }
  std::span<const std::int32_t> tokens(std::uint32_t index) const {
    return std::span(tokens_).subspan(nodes_[index].tokens, nodes_[index + 1].tokens - nodes_[index].tokens);
  }
  std::size_t depth() const { return depth_; }  // of the longest token

 private:
  std::vector<Node> nodes_;  // and one past the last
  std::vector<std::int32_t> tokens_;
  std::size_t depth_ = 0;
};

// Immutable, shared by all constraints of a model.
class TokenTable {
 public:
  // Tokens that are special, end a text or add nothing to it are never part of one. Error{unsupported} for a decoder
  // whose tokens have no bytes of their own (CTC).
  static std::shared_ptr<const TokenTable> of(const text::Tokenizer& tokenizer);
  // Of tokens as bytes, empty ones left out; `first` where the first token of a text is another one, else empty.
  TokenTable(std::vector<std::string> tokens, std::vector<std::string> first);

  // One past the last id.
  std::size_t size() const { return begins_.size() - 1; }
  std::size_t words() const { return (size() + 63) / 64; }  // of a mask
  // Empty for ids that are no part of a text.
  std::string_view bytes(std::int32_t id) const;
  std::string_view first_bytes(std::int32_t id) const;
  // Tokens that are others as the first one.
  std::span<const std::int32_t> other_as_first() const { return other_as_first_; }

  // Most of most vocabularies are texts of a few characters of one kind, which a place takes or does not take as a
  // whole. Each kind without those before it; a word may have a space before it.
  enum class Kind : std::uint8_t {
    lower,         // a to z
    spaced_lower,  // a space, then these
    word,          // ASCII letters and digits
    spaced_word,
    plain,  // whole characters that a JSON string holds as they are
    other,  // all other tokens
  };
  static constexpr std::size_t kKinds = 6, kMostCharacters = 16;
  struct Group {
    TokenTree tree;
    std::vector<std::uint64_t> mask;
  };
  const Group& group(Kind kind) const { return groups_[static_cast<std::size_t>(kind)]; }

 private:
  std::string arena_, first_arena_;
  std::vector<std::size_t> begins_, first_begins_;
  std::vector<std::int32_t> other_as_first_;
  std::vector<Group> groups_;  // by kind
};

}  // namespace accelerate::decoding::constraint
