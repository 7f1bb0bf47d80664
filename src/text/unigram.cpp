#include <algorithm>
#include <array>
#include <limits>

#include "text/models.hpp"
#include "text/trie.hpp"

namespace accelerate::text {
namespace {

constexpr double kUnknownPenalty = 10.0;  // below the least probable token, as SentencePiece has it

class Unigram final : public Model {
 public:
  Unigram(std::vector<ScoredToken> tokens, std::optional<std::size_t> unknown_id, bool byte_fallback)
      : size_(tokens.size()), byte_fallback_(byte_fallback) {
    if (unknown_id && *unknown_id >= tokens.size()) {
      throw Error(ErrorKind::corrupted, "unk_id " + std::to_string(*unknown_id) + " in a vocabulary of " +
                                            std::to_string(tokens.size()) + " tokens");
    }
    if (unknown_id) unknown_ = static_cast<std::int32_t>(*unknown_id);
    double least = std::numeric_limits<double>::infinity();
    std::size_t bytes = 0;
    for (const ScoredToken& token : tokens) bytes += token.token.size();
    vocabulary_.reserve(tokens.size(), bytes);
    scores_.reserve(tokens.size());
    for (std::size_t i = 0; i < tokens.size(); ++i) {
      vocabulary_.add(tokens[i].token, static_cast<std::int32_t>(i));
      scores_.push_back(tokens[i].score);
      least = std::min(least, tokens[i].score);
    }
    vocabulary_.index();
    unknown_score_ = least - kUnknownPenalty;
    std::vector<std::pair<std::string_view, std::int32_t>> keys;
    keys.reserve(vocabulary_.size());
    for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
      keys.emplace_back(vocabulary_.entry_token(i), vocabulary_.entry_id(i));
    }
    trie_.build(std::move(keys));
    find_byte_tokens();
  }

  std::string_view type() const override { return "Unigram"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::size_t size() const override { return size_; }
  std::optional<std::string> unknown_token() const override {
    if (unknown_ < 0) return std::nullopt;
    const auto token = vocabulary_.token(unknown_);
    return token ? std::optional<std::string>(*token) : std::nullopt;
  }

  void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace& work,
                std::vector<Token>& out) const override {
    find_best_paths(text, begin, end, work.paths);
    const std::size_t first = out.size();
    for (std::uint32_t at = end; at > begin;) {
      std::uint32_t from = begin + work.paths[at - begin].begin;
      const std::int32_t id = work.paths[at - begin].id;
      if (id == unknown_) {
        while (from > begin && work.paths[from - begin].id == unknown_) from = begin + work.paths[from - begin].begin;
        put_unknown(text, from, at, out);
      } else {
        out.push_back({id, from, at, true});
      }
      at = from;
    }
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
  }

 private:
  using Paths = std::vector<Workspace::BestPath>;
  static constexpr std::int32_t kUnreached = -2;

  // Viterbi: at each byte, the best token that ends there and where it begins.
  void find_best_paths(std::string_view text, std::uint32_t begin, std::uint32_t end, Paths& paths) const {
    const std::uint32_t size = end - begin;
    paths.assign(size + 1, {0.0, 0, kUnreached});
    const auto reach = [&](std::uint32_t from, std::uint32_t to, double score, std::int32_t id) {
      Workspace::BestPath& best = paths[to];
      if (best.id == kUnreached || score > best.score) best = {score, from, id};
    };
    for (std::uint32_t from = 0; from < size;) {
      const double here = paths[from].score;
      const auto length = static_cast<std::uint32_t>(utf8_length(static_cast<unsigned char>(text[begin + from])));
      bool single = false;
      Trie::Node node = Trie::kRoot;
      for (std::uint32_t to = from; to < size && trie_.step(node, static_cast<unsigned char>(text[begin + to]));) {
        ++to;
        const std::int32_t id = trie_.value(node);
        if (id < 0) continue;
        reach(from, to, scores_[static_cast<std::size_t>(id)] + here, id);
        single = single || to - from == length;
      }
      if (!single) {
        if (unknown_ < 0) no_unknown(text.substr(begin + from, length));
        reach(from, from + length, unknown_score_ + here, unknown_);
      }
      from += length;
    }
  }

  // Characters that no token covers, from right to left.
  void put_unknown(std::string_view text, std::uint32_t begin, std::uint32_t end, std::vector<Token>& out) const {
    const std::string_view piece = text.substr(begin, end - begin);
    const std::int32_t known = vocabulary_.find(piece);
    if (known >= 0) {
      out.push_back({known, begin, end, true});
      return;
    }
    const auto has_token = [&](char c) { return byte_tokens_[static_cast<unsigned char>(c)] >= 0; };
    if (byte_fallback_ && std::all_of(piece.begin(), piece.end(), has_token)) {
      for (std::size_t i = piece.size(); i-- > 0;) {
        out.push_back({byte_tokens_[static_cast<unsigned char>(piece[i])], begin, end, false});
      }
      return;
    }
    out.push_back({unknown_, begin, end, true});
  }

  [[noreturn]] static void no_unknown(std::string_view character) {
    throw Error(ErrorKind::invalid_input,
                "no token covers \"" + std::string(character) + "\", and the model has no unk_id", "model");
  }

  void find_byte_tokens() {
    constexpr char kHex[] = "0123456789ABCDEF";
    for (std::size_t byte = 0; byte < 256; ++byte) {
      const char name[] = {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
      byte_tokens_[byte] = vocabulary_.find(std::string_view(name, sizeof name));
    }
  }

  Vocabulary vocabulary_;
  std::vector<double> scores_;
  std::size_t size_;
  std::int32_t unknown_ = -1;
  double unknown_score_ = 0;
  bool byte_fallback_;
  Trie trie_;
  std::array<std::int32_t, 256> byte_tokens_{};
};

}  // namespace

std::unique_ptr<Model> make_unigram(std::vector<ScoredToken> tokens, std::optional<std::size_t> unknown_id,
                                    bool byte_fallback) {
  return std::make_unique<Unigram>(std::move(tokens), unknown_id, byte_fallback);
}

}  // namespace accelerate::text
