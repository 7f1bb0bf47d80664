// The models: from words to tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/components.hpp"
#include "text/vocabulary.hpp"

namespace accelerate::text {

struct WordPieceOptions {
  std::string unknown_token = "[UNK]", continuing_prefix = "##";
  std::size_t longest_word = 100;  // code points
};
// Greedy longest match from the left (Wu et al. 2016). A word with a part that no token covers, or longer than
// `longest_word`, becomes the unknown token; Error{invalid_input} when it is needed and the vocabulary lacks it.
std::unique_ptr<Model> make_word_piece(Vocabulary vocabulary, WordPieceOptions options);

// Whole words only; otherwise as above.
std::unique_ptr<Model> make_word_level(Vocabulary vocabulary, std::string unknown_token);

struct BpeOptions {
  std::optional<std::string> unknown_token;
  std::string continuing_prefix, word_suffix;
  bool fuse_unknown = false, byte_fallback = false, ignore_merges = false;
};
using Merges = std::vector<std::pair<std::string, std::string>>;
// Byte-pair encoding (Sennrich et al. 2016): the merge listed first is done first, the leftmost of equals.
// Error{corrupted} when a merge uses or makes a token that the vocabulary lacks.
std::unique_ptr<Model> make_bpe(Vocabulary vocabulary, const Merges& merges, BpeOptions options);

struct ScoredToken {
  std::string token;
  double score = 0;
};
// The most probable segmentation (Kudo 2018); unknown characters in a row are one token.
// Error{corrupted} when unknown_id lies outside the vocabulary.
std::unique_ptr<Model> make_unigram(std::vector<ScoredToken> tokens, std::optional<std::size_t> unknown_id,
                                    bool byte_fallback);

// From the "model" object of tokenizer.json, by its type or, in old files, by its fields.
std::unique_ptr<Model> make_model(const Json& json);

}  // namespace accelerate::text
