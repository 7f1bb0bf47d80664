// Text to token ids and back, as the `tokenizers` library does it from tokenizer.json (and from the older files).
//
// The pipeline: added tokens are cut out, the rest is normalised, split into words, each word is looked up by a model
// (WordPiece, BPE, Unigram, WordLevel), and a post-processor puts special tokens around. docs/tokenizers.md lists every
// component type that is known; any other is Error{unsupported} by name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.hpp"
#include "core/json.hpp"

namespace accelerate::text {

// Half-open range of the original text, in code points.
struct Offset {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const Offset&) const = default;
};

// One input as tokens; all vectors have the same length.
struct Encoding {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::string> tokens;
  std::vector<Offset> offsets;
  std::vector<std::int32_t> word_ids;      // index of the word that the token is part of; -1 for special tokens
  std::vector<std::int32_t> sequence_ids;  // 0 first text, 1 pair; -1 for special tokens
  std::vector<std::uint8_t> special_tokens_mask, attention_mask;
  std::vector<Encoding> overflowing;  // what truncation cut off, in pieces that overlap by `stride` tokens
  bool truncated = false;
};

enum class Side : std::uint8_t { left, right };
enum class TruncationStrategy : std::uint8_t { longest_first, only_first, only_second };

struct EncodeOptions {
  bool add_special_tokens = true;
  // At most this many tokens, special ones included. Replaces the truncation section of tokenizer.json.
  std::optional<std::size_t> max_length;
  TruncationStrategy strategy = TruncationStrategy::longest_first;
  std::size_t stride = 0;
  std::optional<Side> truncation_side;  // the tokenizer's own unless given
  // Honour the truncation and padding sections of tokenizer.json. The `tokenizers` library does; Transformers, and so
  // this project, ignores them unless asked.
  bool file_truncation = false;
  bool file_padding = false;
};

// One text, or two that belong together (question and context, query and passage).
struct TextInput {
  std::string_view text;
  std::optional<std::string_view> pair = std::nullopt;
};

// Rows of different lengths: row i is ids[row_starts[i] .. row_starts[i + 1]).
struct RaggedIds {
  std::vector<std::int32_t> ids, type_ids;
  std::vector<std::size_t> row_starts{0};
  std::vector<std::uint8_t> truncated;  // one a row: 1 where truncation cut something off

  std::size_t rows() const { return row_starts.size() - 1; }
  std::span<const std::int32_t> row(std::size_t i) const {
    return std::span(ids).subspan(row_starts[i], row_starts[i + 1] - row_starts[i]);
  }
  std::span<const std::int32_t> row_types(std::size_t i) const {
    return std::span(type_ids).subspan(row_starts[i], row_starts[i + 1] - row_starts[i]);
  }
};

// A token that is found in the text before (or, if `normalized`, after) normalisation and never split.
struct AddedToken {
  std::int32_t id = 0;
  std::string content;
  bool single_word = false;             // only where no word character touches it
  bool lstrip = false, rstrip = false;  // takes the white space beside it
  bool normalized = true;               // matched in the normalised text
  bool special = false;                 // left out by decode(skip_special_tokens)
};

struct SpecialTokens {
  std::optional<std::int32_t> cls, sep, pad, mask, unk, bos, eos;
};

class DecodeStream;

// Copies share the tables. All methods are const and safe to call from several threads.
class Tokenizer {
 public:
  // The tokenizer of a model folder: tokenizer.json; else vocab.txt (BERT); else vocab.json + merges.txt (GPT-2,
  // RoBERTa, CLIP, OPT, Whisper, Qwen2: decided from tokenizer_config.json); else source.spm + vocab.json (Marian);
  // else spiece.model, sentencepiece.bpe.model or tokenizer.model. Reads tokenizer_config.json, special_tokens_map.json
  // and added_tokens.json beside it.
  //
  // `default_class` is the class of Transformers ("BertTokenizer") that older files are read as where they name none.
  // `lower_case` puts a lower-casing step in front of the tokenizer's own normalisation, as sentence-transformers does.
  //
  // Error{not_found} when the folder has none of them (lists what was looked for), Error{corrupted} when a file
  // contradicts its format, Error{unsupported} for an unknown component type.
  static Tokenizer open(const std::filesystem::path& folder, std::string_view default_class = {},
                        bool lower_case = false);
  // From the parsed tokenizer.json alone; `where` names it in errors. `config` is tokenizer_config.json or null.
  static Tokenizer from_json(const Json& json, std::string_view where, const Json& config = Json());
  // From the fields "tokenizer.*" of a GGUF file (text/gguf_tokenizer.hpp). `config` is tokenizer_config.json or null.
  static Tokenizer from_gguf(const Config& metadata, bool merges_by_id = false, const Json& config = Json());

  // Error{invalid_input} naming the byte offset when a text is no UTF-8, or when options cannot be met (a stride not
  // shorter than the room for text; a max_length below the number of special tokens).
  Encoding encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode(std::string_view text, std::string_view pair, const EncodeOptions& options = {}) const;
  // In the order of the inputs. With file_padding, rows are padded to a common length where the file asks for that.
  std::vector<Encoding> encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options = {}) const;

  // Ids only: several times faster than encode, no tokens and offsets. `file_padding` is not taken.
  std::vector<std::int32_t> encode_ids(std::string_view text, const EncodeOptions& options = {}) const;
  RaggedIds encode_ids(std::span<const TextInput> inputs, const EncodeOptions& options = {}) const;

  // The text of ids. Ids that no token has are left out, as the library does.
  std::string decode(std::span<const std::int32_t> ids, bool skip_special_tokens = true) const;
  // The same for ids that come one at a time (text/decode_stream.hpp).
  DecodeStream decode_stream(bool skip_special_tokens = true) const;
  // What a token adds to the bytes of a text, as its first token or behind others: may be part of a character. A suffix
  // that ends words (BPEDecoder) counts as a space, though decode() leaves it out at a text's end. Empty for an id that
  // no token has. Error{unsupported} where tokens have no bytes of their own (CTC).
  std::string bytes_of(std::int32_t id, bool first) const;

  std::optional<std::int32_t> token_to_id(std::string_view token) const;
  std::optional<std::string> id_to_token(std::int32_t id) const;
  // Number of different ids, with or without the added tokens that the model's vocabulary lacks.
  std::size_t vocab_size(bool with_added_tokens = true) const;
  std::span<const AddedToken> added_tokens() const;  // sorted by id

  // Roles from tokenizer_config.json, special_tokens_map.json, else from the usual spellings among the added tokens.
  const SpecialTokens& special_tokens() const;
  bool is_special(std::int32_t id) const;
  // Number of special tokens that encode adds to one text (pair = false) or to two.
  std::size_t added_by_template(bool pair) const;

  // From tokenizer_config.json where it says so.
  std::optional<std::size_t> model_max_length() const;  // none when absent or "infinite"
  Side padding_side() const;                            // right unless told
  Side truncation_side() const;                         // right unless told
  std::int32_t pad_type_id() const;                     // 0 unless told
  // "input_ids", "token_type_ids", "attention_mask" as tokenizer_config.json lists them; empty when it does not.
  std::span<const std::string> model_input_names() const;
  // "WordPiece", "BPE", "Unigram" or "WordLevel"
  std::string_view model_type() const;

 private:
  friend class DecodeStream;
  struct State;
  explicit Tokenizer(std::shared_ptr<const State> state) : state_(std::move(state)) {}
  std::shared_ptr<const State> state_;
};

}  // namespace accelerate::text
