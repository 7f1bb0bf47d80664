// The parts of a tokenizer and what they hand on: normalizers, pre-tokenizers, models, post-processors, decoders.
//
// Each is made from its object in tokenizer.json; Error{unsupported} names a type that is not known, Error{corrupted}
// a field that is missing or wrong. All are immutable once made.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.hpp"
#include "text/aligned_text.hpp"
#include "text/tokenizer.hpp"

namespace accelerate::text {

// A part of a text: a word to be tokenized, or an added token that was found.
struct Split {
  std::uint32_t begin = 0, end = 0;  // bytes
  std::int32_t token = -1;           // id of an added token
};

// A match of a pattern, or the text between two.
struct Match {
  std::uint32_t begin = 0, end = 0;
  bool matched = false;
};

// A token of a word: its bytes in the text.
struct Token {
  std::int32_t id = 0;
  std::uint32_t begin = 0, end = 0;
  bool spelled = false;  // shown as the text it covers, not as the vocabulary spells it
};

// Tokens of short words seen before. One set a workspace, so no locks.
struct CachedWord {
  static constexpr std::size_t kLongestWord = 32, kMostTokens = 5;
  std::array<char, kLongestWord> word;
  std::array<std::int32_t, kMostTokens> ids;
  std::array<std::uint8_t, kMostTokens> ends;
  std::uint8_t length = 0, count = 0, spelled = 0;  // spelled: one bit a token
};

// Buffers that one call uses and the next one uses again.
struct Workspace {
  AlignedText text, other_text;
  std::vector<Split> splits, other_splits;
  std::vector<Match> matches;
  std::vector<Change> changes;
  std::vector<Token> tokens;
  std::vector<std::uint32_t> first_token;  // of each split, and one past the last
  std::vector<std::int32_t> ids[2];        // of the text and its pair
  std::vector<std::uint32_t> char_of_byte;
  std::vector<CachedWord> words;
  // BPE
  struct Symbol {
    std::int32_t id, previous, next;
    std::uint32_t length, rank;
  };
  std::vector<Symbol> symbols;
  struct Merge {
    std::uint32_t rank;
    std::int32_t position, id;
  };
  std::vector<Merge> merges;
  // Unigram
  struct BestPath {
    double score;
    std::uint32_t begin;
    std::int32_t id;
  };
  std::vector<BestPath> paths;
};

class Normalizer {
 public:
  virtual ~Normalizer() = default;
  virtual void apply(AlignedText& text, Workspace& work) const = 0;
  // Null for JSON null.
  static std::unique_ptr<Normalizer> make(const Json& json);
};

// Splits work.splits over work.text further, leaving added tokens alone; may rewrite the text.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Workspace& work) const = 0;
  // Whether what it does depends on where in the original a split begins.
  virtual bool needs_origins() const { return false; }
  // Whether the last step spells bytes in the byte-level alphabet; keep_raw_bytes() makes it leave them as they are.
  virtual bool ends_in_byte_alphabet() const { return false; }
  virtual void keep_raw_bytes() {}
  static std::unique_ptr<PreTokenizer> make(const Json& json);
};

class Vocabulary;

class Model {
 public:
  virtual ~Model() = default;
  // Appends the tokens of the word at bytes [begin, end) of `text`.
  virtual void tokenize(std::string_view text, std::uint32_t begin, std::uint32_t end, Workspace& work,
                        std::vector<Token>& out) const = 0;
  virtual std::string_view type() const = 0;
  virtual const Vocabulary& vocabulary() const = 0;
  // Number of entries, as the ids of further added tokens are counted from.
  virtual std::size_t size() const = 0;
  virtual std::optional<std::string> unknown_token() const { return std::nullopt; }
  // Takes words as raw bytes in place of the byte-level alphabet; false where the model cannot.
  virtual bool use_raw_bytes() { return false; }
  // Whether equal words always give equal tokens and are worth remembering.
  virtual bool caches_words() const { return true; }
};

// Puts special tokens around one or two encodings and merges them into one.
class PostProcessor {
 public:
  virtual ~PostProcessor() = default;
  virtual std::size_t added_tokens(bool pair) const = 0;
  virtual std::vector<Encoding> process(std::vector<Encoding> encodings, bool add_special_tokens) const = 0;

  // For ids alone: special tokens (sequence -1) and texts (0, 1) in order, each with its type.
  struct Piece {
    int sequence = -1;
    std::int32_t type_id = 0;
    std::vector<std::int32_t> ids;
  };
  // None where the processor is no such list.
  virtual std::optional<std::vector<Piece>> pieces(bool pair) const = 0;
  static std::unique_ptr<PostProcessor> make(const Json& json);
};

class DecoderStream;

// Where a token stands whose bytes are asked for.
struct TokenPlace {
  bool first = false;   // of a text
  bool joined = false;  // what came before made one token of all
};

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual std::vector<std::string> decode(std::vector<std::string> tokens) const = 0;
  // What one token adds to the bytes of a text that goes on behind it. Error{unsupported} where that depends on others.
  virtual std::string bytes(std::string token, TokenPlace& place) const = 0;
  // The same, one token at a time (text/decoder_stream.hpp); the decoder must outlive it.
  virtual std::unique_ptr<DecoderStream> stream() const = 0;
  static std::unique_ptr<Decoder> make(const Json& json);
};

// Reading component objects.
// The "type" field; empty when there is none.
std::string_view type_of(const Json& json);
bool bool_or(const Json& json, std::string_view key, bool otherwise);
// A member that holds exactly one code point.
char32_t char_at(const Json& json, std::string_view key);
[[noreturn]] void unknown_type(std::string_view what, const Json& json);
// Bytes of base64 text; Error{corrupted} otherwise.
std::string from_base64(std::string_view text);

}  // namespace accelerate::text
