#include "text/models.hpp"
#include "text/trie.hpp"

namespace accelerate::text {
namespace {

[[noreturn]] void missing_unknown(const std::string& token) {
  throw Error(ErrorKind::invalid_input,
              "the text has a word that no token covers, and the vocabulary lacks the unknown token \"" + token + "\"",
              "model");
}

class WordPiece final : public Model {
 public:
  WordPiece(Vocabulary vocabulary, WordPieceOptions options)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
    unknown_ = vocabulary_.find(options_.unknown_token);
    std::vector<std::pair<std::string_view, std::int32_t>> first, rest;
    first.reserve(vocabulary_.size());
    const std::string_view prefix = options_.continuing_prefix;
    for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
      const std::string_view token = vocabulary_.entry_token(i);
      first.emplace_back(token, vocabulary_.entry_id(i));
      if (token.substr(0, prefix.size()) == prefix) {
        rest.emplace_back(token.substr(prefix.size()), vocabulary_.entry_id(i));
      }
    }
    first_.build(std::move(first));
    rest_.build(std::move(rest));
  }

  std::string_view type() const override { return "WordPiece"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::string> unknown_token() const override { return options_.unknown_token; }

  void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace&,
                std::vector<Token>& out) const override {
    const std::size_t before = out.size();
    if (end - begin > options_.longest_word && too_long(text.substr(begin, end - begin))) {
      return unknown(begin, end, before, out);
    }
    const Trie* trie = &first_;
    for (std::uint32_t at = begin; at < end; trie = &rest_) {
      Trie::Node node = Trie::kRoot;
      std::int32_t id = -1;
      std::uint32_t longest = at;
      for (std::uint32_t i = at; i < end && trie->step(node, static_cast<unsigned char>(text[i])); ++i) {
        if (trie->value(node) < 0) continue;
        id = trie->value(node);
        longest = i + 1;
      }
      if (id < 0) return unknown(begin, end, before, out);
      out.push_back({id, at, longest, false});
      at = longest;
    }
  }

 private:
  bool too_long(std::string_view word) const {
    std::size_t count = 0;
    for (const char c : word) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    return count > options_.longest_word;
  }
  void unknown(std::uint32_t begin, std::uint32_t end, std::size_t before, std::vector<Token>& out) const {
    if (unknown_ < 0) missing_unknown(options_.unknown_token);
    out.resize(before);
    out.push_back({unknown_, begin, end, false});
  }

  Vocabulary vocabulary_;
  WordPieceOptions options_;
  std::int32_t unknown_ = -1;
  Trie first_, rest_;
};

class WordLevel final : public Model {
 public:
  WordLevel(Vocabulary vocabulary, std::string unknown_token)
      : vocabulary_(std::move(vocabulary)), unknown_token_(std::move(unknown_token)) {
    unknown_ = vocabulary_.find(unknown_token_);
  }
  std::string_view type() const override { return "WordLevel"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::string> unknown_token() const override { return unknown_token_; }

  void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace&,
                std::vector<Token>& out) const override {
    std::int32_t id = vocabulary_.find(text.substr(begin, end - begin));
    if (id < 0) id = unknown_;
    if (id < 0) missing_unknown(unknown_token_);
    out.push_back({id, begin, end, false});
  }

 private:
  Vocabulary vocabulary_;
  std::string unknown_token_;
  std::int32_t unknown_ = -1;
};

}  // namespace

std::unique_ptr<Model> make_word_piece(Vocabulary vocabulary, WordPieceOptions options) {
  return std::make_unique<WordPiece>(std::move(vocabulary), std::move(options));
}

std::unique_ptr<Model> make_word_level(Vocabulary vocabulary, std::string unknown_token) {
  return std::make_unique<WordLevel>(std::move(vocabulary), std::move(unknown_token));
}

}  // namespace accelerate::text
