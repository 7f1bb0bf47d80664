// SentencePiece model files (Kudo & Richardson 2018): the parts of sentencepiece_model.proto that tokenizers need.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace accelerate::text {

struct SentencePieceModel {
  enum class Algorithm : std::uint8_t { unigram = 1, bpe = 2, word = 3, character = 4 };
  enum class Kind : std::uint8_t { normal = 1, unknown = 2, control = 3, user_defined = 4, unused = 5, byte = 6 };
  struct Piece {
    std::string text;
    double score = 0;
    Kind kind = Kind::normal;
  };
  std::vector<Piece> pieces;
  Algorithm algorithm = Algorithm::unigram;
  bool byte_fallback = false;
  std::int64_t unknown_id = 0;
  std::string precompiled_charsmap;
};

// Error{corrupted} when the bytes are no such message.
SentencePieceModel parse_sentencepiece(std::string_view bytes);

// The merges that a BPE model implies: each piece from every two pieces that make it, best scores first.
std::vector<std::pair<std::string, std::string>> merges_of(const SentencePieceModel& model);

}  // namespace accelerate::text
