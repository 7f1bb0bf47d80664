// What a folder says about turning its texts into tokens: tokenizer, longest input, lower case, prompts.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "models/architecture.hpp"
#include "text/components.hpp"
#include "text/tokenizer.hpp"

namespace accelerate::runtime {

// What sentence-transformers keeps beside a model, and the limits of its length; from small files, without the
// tokenizer's own.
struct TextSettings {
  std::int64_t max_tokens = 0;                 // longest input, special tokens included; 0: no limit known
  bool lower_case = false;                     // sentence_bert_config.json: do_lower_case
  std::string tokenizer_class;                 // what older tokenizer files are read as where they do not say
  bool token_types = true;                     // false: the second text of a pair has the type of the first
  std::map<std::string, std::string> prompts;  // config_sentence_transformers.json
  std::string default_prompt;                  // the name of one of them; empty: none
};
// `architecture_limit` is what the architecture takes, 0 where it says nothing. As sentence-transformers does it, its
// max_seq_length stands in for the tokenizer's model_max_length; the architecture's limit holds in any case. Token
// types are for tokenizers that Transformers lets make them, in front of models that have more than one.
TextSettings text_settings(const Checkpoint& checkpoint, std::int64_t architecture_limit,
                           std::string_view tokenizer_class = {});

// Texts as lists of ids, and which of them were too long.
struct TokenizedTexts {
  std::vector<std::vector<std::int32_t>> ids, type_ids;
  std::vector<std::size_t> truncated;
};

// A text and, where it has one, its pair.
using TextView = text::TextInput;
std::vector<TextView> views(std::span<const std::string> texts);
std::vector<TextView> views(std::span<const TextPair> pairs);

// Safe for several threads.
class TextProcessor {
 public:
  // Errors of Tokenizer::open.
  TextProcessor(const Checkpoint& checkpoint, TextSettings settings);

  const text::Tokenizer& tokenizer() const { return tokenizer_; }
  const TextSettings& settings() const { return settings_; }

  // Ids of all texts, cut to the longest input (longest_first for pairs). Error{invalid_input} with "texts[i]" in
  // front of where it went wrong: no UTF-8 (with the byte), or, if strict, too long (with both numbers).
  TokenizedTexts ids_of(std::span<const TextView> texts, const BatchOptions& options) const;
  // The same with tokens, offsets and words. encode() says no number of the text where it fails.
  text::Encoding encode(const TextView& input, const text::EncodeOptions& options) const;
  text::Encoding encoding_of(std::size_t number, const TextView& input, const text::EncodeOptions& options) const;
  // max_length as ids_of has it.
  text::EncodeOptions options() const;
  // Error{invalid_input} with both numbers when strict.
  void check_length(std::size_t number, const TextView& input, bool truncated, bool strict) const;

  // "[MASK]"; empty where the tokenizer has none.
  std::string mask_token() const;
  // Tokens joined to a text as the tokenizer's decoder does it.
  std::string text_of(std::vector<std::string> tokens) const;
  // Whether a token that does not begin a word is marked as such ("##ing").
  bool marks_continuations() const { return spelling().marks_continuations; }
  // Number of tokens of `prompt` in front of a text, the special ones before it counted, the ones after it not.
  std::int64_t prompt_length(std::string_view prompt) const;

 private:
  // How tokens are spelled. Needs the whole tokenizer.json again, so it is read only for tasks that show words.
  struct Spelling {
    std::unique_ptr<const text::Decoder> decoder;  // null: tokens are joined by spaces
    bool marks_continuations = false;
  };
  const Spelling& spelling() const;

  Checkpoint checkpoint_;
  TextSettings settings_;
  text::Tokenizer tokenizer_;
  mutable std::once_flag spelled_;
  mutable Spelling spelling_;
};

}  // namespace accelerate::runtime
