#include <algorithm>
#include <array>
#include <set>

#include "text/models.hpp"
#include "text/pair_map.hpp"
#include "text/word_cache.hpp"

namespace accelerate::text {
namespace {

constexpr std::string_view kMark = "\xe2\x96\x81";  // U+2581, SentencePiece's space
constexpr std::size_t kShortWord = 40;              // symbols; above it a heap finds the next merge

std::string byte_token(unsigned char byte) {
  constexpr char kHex[] = "0123456789ABCDEF";
  return {'<', '0', 'x', kHex[byte >> 4], kHex[byte & 15], '>'};
}

class Bpe final : public Model {
 public:
  Bpe(Vocabulary vocabulary, const Merges& merges, BpeOptions options)
      : vocabulary_(std::move(vocabulary)), options_(std::move(options)) {
    if (options_.unknown_token) unknown_ = vocabulary_.find(*options_.unknown_token);
    for (unsigned byte = 0; byte < 256; ++byte) {
      byte_tokens_[byte] = vocabulary_.find(byte_token(static_cast<unsigned char>(byte)));
    }
    for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
      const std::string_view token = vocabulary_.entry_token(i);
      if (!token.empty() && token.size() <= 4 && decode_at(token, 0).length == token.size()) {
        chars_.set(decode_at(token, 0).value, 0, {0, vocabulary_.entry_id(i)});
      }
    }
    read_merges(merges);
    find_cuts(merges);
  }

  std::string_view type() const override { return "BPE"; }
  const Vocabulary& vocabulary() const override { return vocabulary_; }
  std::size_t size() const override { return vocabulary_.size(); }
  std::optional<std::string> unknown_token() const override { return options_.unknown_token; }
  bool caches_words() const override { return !cuts_; }

  bool use_raw_bytes() override;

  void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace& work,
                std::vector<Token>& out) const override {
    if (options_.ignore_merges) {
      const std::string_view word = text.substr(begin, end - begin);
      const std::int32_t whole = raw_bytes_ ? raw_tokens_.find(word) : vocabulary_.find(word);
      if (whole >= 0) {
        out.push_back({whole, begin, end, false});
        return;
      }
    }
    if (!cuts_) return merge_word(text, begin, end, work, out);
    for (std::uint32_t at = begin; at < end;) {
      const std::uint32_t stop = next_cut(text, at, end);
      with_word_cache(work, text, at, stop, out, [&] { merge_word(text, at, stop, work, out); });
      at = stop;
    }
  }

 private:
  void read_merges(const Merges& merges);
  void find_cuts(const Merges& merges);
  std::uint32_t next_cut(std::string_view text, std::uint32_t begin, std::uint32_t end) const;

  void merge_word(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace& work,
                  std::vector<Token>& out) const {
    work.symbols.clear();
    if (raw_bytes_) {
      symbols_of_bytes(text.substr(begin, end - begin), work);
    } else {
      symbols_of_chars(text.substr(begin, end - begin), work);
    }
    if (work.symbols.size() > 1) {
      if (work.symbols.size() <= kShortWord) {
        merge_short(work.symbols);
      } else {
        merge_long(work);
      }
    }
    std::uint32_t at = begin;
    for (const Workspace::Symbol& symbol : work.symbols) {
      if (symbol.length == 0) continue;
      // Without an unknown token, characters may have been left out, and with a suffix in bytes there may be more.
      const std::uint32_t stop = std::min(at + symbol.length, end);
      out.push_back({symbol.id, at, stop, false});
      at = stop;
    }
  }

  static void add(Workspace& work, std::int32_t id, std::size_t length) {
    const auto index = static_cast<std::int32_t>(work.symbols.size());
    work.symbols.push_back({id, index - 1, index + 1, static_cast<std::uint32_t>(length), 0});
  }

  // Characters without a token, held back so that neighbours can be fused.
  struct Unknown {
    std::size_t length = 0;
    void flush(Workspace& work, std::int32_t id) {
      if (length > 0) add(work, id, length);
      length = 0;
    }
  };
  void put_unknown(Unknown& pending, std::size_t length, Workspace& work) const {
    if (!options_.unknown_token) return;
    if (unknown_ < 0) {
      throw Error(ErrorKind::invalid_input,
                  "the text has an unknown character, and the vocabulary lacks the unknown token \"" +
                      *options_.unknown_token + "\"",
                  "model");
    }
    if (!options_.fuse_unknown) pending.flush(work, unknown_);
    pending.length += length;
  }

  void symbols_of_bytes(std::string_view word, Workspace& work) const {
    Unknown pending;
    for (std::size_t i = 0; i < word.size(); ++i) {
      const bool first = i == 0, last = i + 1 == word.size();
      const auto byte = static_cast<unsigned char>(word[i]);
      const std::int32_t id = raw_symbols_[(first ? 0U : 1U) + (last ? 2U : 0U)][byte];
      if (id >= 0) {
        pending.flush(work, unknown_);
        add(work, id, 1);
      } else {
        put_unknown(pending, 1, work);
      }
    }
    pending.flush(work, unknown_);
  }

  void symbols_of_chars(std::string_view word, Workspace& work) const {
    Unknown pending;
    const bool plain = options_.continuing_prefix.empty() && options_.word_suffix.empty();
    std::string spelled;
    for (std::size_t i = 0; i < word.size();) {
      const Decoded c = decode_at(word, i);
      std::string_view symbol = word.substr(i, c.length);
      std::int32_t id = -1;
      if (plain) {
        if (const PairMap::Value* found = chars_.find(c.value, 0)) id = found->id;
      } else {
        spelled = i > 0 ? options_.continuing_prefix : std::string();
        spelled += symbol;
        if (i + c.length == word.size()) spelled += options_.word_suffix;
        symbol = spelled;
        id = vocabulary_.find(symbol);
      }
      i += c.length;
      if (id >= 0) {
        pending.flush(work, unknown_);
        add(work, id, c.length);
      } else if (!put_bytes(symbol, work)) {
        put_unknown(pending, c.length, work);
      }
    }
    pending.flush(work, unknown_);
  }

  bool put_bytes(std::string_view symbol, Workspace& work) const {
    if (!options_.byte_fallback) return false;
    for (const char c : symbol) {
      if (byte_tokens_[static_cast<unsigned char>(c)] < 0) return false;
    }
    for (const char c : symbol) add(work, byte_tokens_[static_cast<unsigned char>(c)], 1);
    return true;
  }

  void merge_short(std::vector<Workspace::Symbol>& symbols) const;
  void merge_long(Workspace& work) const;

  Vocabulary vocabulary_;
  BpeOptions options_;
  std::int32_t unknown_ = -1;
  std::array<std::int32_t, 256> byte_tokens_{};
  PairMap chars_, pairs_;
  bool raw_bytes_ = false, cuts_ = false;
  std::array<std::array<std::int32_t, 256>, 4> raw_symbols_{};  // +1 not first, +2 last
  StringMap raw_tokens_;
  std::set<char32_t> before_mark_;
};

void Bpe::read_merges(const Merges& merges) {
  pairs_.reserve(merges.size());
  const auto id_of = [&](const std::string& token) {
    const std::int32_t id = vocabulary_.find(token);
    if (id < 0) throw Error(ErrorKind::corrupted, "a merge needs \"" + token + "\", which is not in the vocabulary");
    return id;
  };
  std::string merged;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    const auto& [left, right] = merges[rank];
    const std::size_t prefix = options_.continuing_prefix.size();
    if (right.size() < prefix) {
      throw Error(ErrorKind::corrupted, "the right part \"" + right + "\" of a merge is shorter than the prefix");
    }
    const std::int32_t left_id = id_of(left), right_id = id_of(right);
    merged.assign(left).append(right, prefix);
    pairs_.set(static_cast<std::uint32_t>(left_id), static_cast<std::uint32_t>(right_id),
               {static_cast<std::uint32_t>(rank), id_of(merged)});
  }
}

// A text without word boundaries (Llama) is one huge word. Where no merge can ever join a character to the mark that
// follows it, the text may be cut without changing any token.
void Bpe::find_cuts(const Merges& merges) {
  const bool plain = options_.continuing_prefix.empty() && options_.word_suffix.empty();
  if (!plain || chars_.find(decode_at(kMark, 0).value, 0) == nullptr) return;
  for (const auto& [left, right] : merges) {
    for (const std::string& part : {left, right}) {
      const std::int32_t id = vocabulary_.find(part);
      if (id == unknown_) return;
      if (part.size() == 6 && std::find(byte_tokens_.begin(), byte_tokens_.end(), id) != byte_tokens_.end()) return;
    }
    const std::string merged = left + right;
    for (std::size_t at = merged.find(kMark, 1); at != std::string::npos; at = merged.find(kMark, at + 1)) {
      before_mark_.insert(decode_at(merged, previous_start(merged, at)).value);
    }
  }
  cuts_ = true;
}

std::uint32_t Bpe::next_cut(std::string_view text, std::uint32_t begin, std::uint32_t end) const {
  for (std::size_t at = begin + 1;;) {
    at = text.find(kMark, at);
    if (at >= end) return end;
    if (before_mark_.find(decode_at(text, previous_start(text, at)).value) == before_mark_.end()) {
      return static_cast<std::uint32_t>(at);
    }
    at += kMark.size();
  }
}

bool Bpe::use_raw_bytes() {
  if (options_.byte_fallback) return false;
  for (unsigned place = 0; place < 4; ++place) {
    for (unsigned byte = 0; byte < 256; ++byte) {
      std::string token = (place & 1U) != 0 ? options_.continuing_prefix : std::string();
      append_utf8(token, byte_to_char(static_cast<unsigned char>(byte)));
      if ((place & 2U) != 0) token += options_.word_suffix;
      raw_symbols_[place][byte] = vocabulary_.find(token);
    }
  }
  if (options_.ignore_merges) {
    std::string bytes;
    raw_tokens_.reserve(vocabulary_.size(), vocabulary_.size() * 8);
    for (std::size_t i = 0; i < vocabulary_.size(); ++i) {
      if (bytes_of_token(vocabulary_.entry_token(i), bytes)) raw_tokens_.set(bytes, vocabulary_.entry_id(i));
    }
  }
  cuts_ = false;
  return raw_bytes_ = true;
}

void Bpe::merge_short(std::vector<Workspace::Symbol>& symbols) const {
  constexpr std::uint32_t kNever = 0xffffffff;
  std::array<std::int32_t, kShortWord> merged;
  const auto look = [&](std::size_t i) {
    symbols[i].rank = kNever;
    if (i + 1 >= symbols.size()) return;
    const PairMap::Value* pair =
        pairs_.find(static_cast<std::uint32_t>(symbols[i].id), static_cast<std::uint32_t>(symbols[i + 1].id));
    if (pair == nullptr) return;
    symbols[i].rank = pair->rank;
    merged[i] = pair->id;
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) look(i);
  while (symbols.size() > 1) {
    std::size_t best = 0;
    for (std::size_t i = 1; i < symbols.size(); ++i) {
      if (symbols[i].rank < symbols[best].rank) best = i;
    }
    if (symbols[best].rank == kNever) return;
    symbols[best].id = merged[best];
    symbols[best].length += symbols[best + 1].length;
    symbols.erase(symbols.begin() + static_cast<std::ptrdiff_t>(best + 1));
    for (std::size_t i = best + 1; i < symbols.size(); ++i) merged[i] = merged[i + 1];
    look(best);
    if (best > 0) look(best - 1);
  }
}

void Bpe::merge_long(Workspace& work) const {
  auto& symbols = work.symbols;
  auto& heap = work.merges;
  const auto count = static_cast<std::int32_t>(symbols.size());
  const auto at = [&](std::int32_t i) -> Workspace::Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  const auto later = [](const Workspace::Merge& a, const Workspace::Merge& b) {
    return a.rank != b.rank ? a.rank > b.rank : a.position > b.position;
  };
  const auto pair_at = [&](std::int32_t i, std::int32_t next) {
    return pairs_.find(static_cast<std::uint32_t>(at(i).id), static_cast<std::uint32_t>(at(next).id));
  };
  const auto offer = [&](std::int32_t i, std::int32_t next) {
    if (const PairMap::Value* pair = pair_at(i, next)) {
      heap.push_back({pair->rank, i, pair->id});
      std::push_heap(heap.begin(), heap.end(), later);
    }
  };
  heap.clear();
  for (std::int32_t i = 0; i + 1 < count; ++i) {
    if (const PairMap::Value* pair = pair_at(i, i + 1)) heap.push_back({pair->rank, i, pair->id});
  }
  std::make_heap(heap.begin(), heap.end(), later);
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), later);
    const Workspace::Merge merge = heap.back();
    heap.pop_back();
    Workspace::Symbol& left = at(merge.position);
    if (left.length == 0 || left.next >= count) continue;
    // An entry made before a neighbour was merged away no longer describes what stands there.
    const PairMap::Value* pair = pair_at(merge.position, left.next);
    if (pair == nullptr || pair->id != merge.id) continue;
    Workspace::Symbol& right = at(left.next);
    left.id = merge.id;
    left.length += right.length;
    right.length = 0;
    left.next = right.next;
    if (left.next < count) at(left.next).previous = merge.position;
    if (left.previous >= 0) offer(left.previous, merge.position);
    if (left.next < count) offer(merge.position, left.next);
  }
}

}  // namespace

std::unique_ptr<Model> make_bpe(Vocabulary vocabulary, const Merges& merges, BpeOptions options) {
  return std::make_unique<Bpe>(std::move(vocabulary), merges, std::move(options));
}

}  // namespace accelerate::text
