#include "text/sentencepiece_model.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#include "accelerate/error.hpp"
#include "text/unicode.hpp"
#include "text/vocabulary.hpp"

namespace accelerate::text {
namespace {

[[noreturn]] void corrupted(const std::string& what) { throw Error(ErrorKind::corrupted, what); }

// One message of the protocol-buffer wire format, field by field.
class Message {
 public:
  explicit Message(std::string_view bytes) : bytes_(bytes) {}

  struct Field {
    std::uint64_t number = 0;
    std::uint64_t value = 0;  // varint, or the bits of a fixed number
    std::string_view bytes;   // of a length-delimited field
  };

  bool next(Field& field) {
    if (at_ >= bytes_.size()) return false;
    const std::uint64_t tag = varint();
    field = {tag >> 3, 0, {}};
    switch (tag & 7) {
      case 0: field.value = varint(); break;
      case 1: field.value = fixed(8); break;
      case 2: field.bytes = take(varint()); break;
      case 5: field.value = fixed(4); break;
      default: corrupted("a field of unknown wire type at byte " + std::to_string(at_));
    }
    return true;
  }

 private:
  std::string_view take(std::uint64_t size) {
    if (size > bytes_.size() - at_) {
      corrupted("a field of " + std::to_string(size) + " bytes at byte " + std::to_string(at_) + ", only " +
                std::to_string(bytes_.size() - at_) + " left");
    }
    const std::string_view part = bytes_.substr(at_, size);
    at_ += size;
    return part;
  }
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(take(1)[0]);
      value |= std::uint64_t{byte & 127U} << shift;
      if (byte < 128) return value;
    }
    corrupted("a number longer than 64 bits at byte " + std::to_string(at_));
  }
  std::uint64_t fixed(std::size_t size) {
    std::uint64_t value = 0;
    std::memcpy(&value, take(size).data(), size);
    return value;
  }

  std::string_view bytes_;
  std::size_t at_ = 0;
};

SentencePieceModel::Piece read_piece(std::string_view bytes) {
  SentencePieceModel::Piece piece;
  Message message(bytes);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) piece.text = field.bytes;
    if (field.number == 2) piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(field.value));
    if (field.number == 3) piece.kind = static_cast<SentencePieceModel::Kind>(field.value);
  }
  if (find_invalid_utf8(piece.text) != std::string::npos) corrupted("a piece that is no UTF-8");
  return piece;
}

}  // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes) {
  SentencePieceModel model;
  Message message(bytes);
  for (Message::Field field; message.next(field);) {
    if (field.number == 1) model.pieces.push_back(read_piece(field.bytes));
    Message inner(field.number == 2 || field.number == 3 ? field.bytes : std::string_view());
    for (Message::Field part; inner.next(part);) {
      if (field.number == 3 && part.number == 2) model.precompiled_charsmap = part.bytes;
      if (field.number != 2) continue;
      if (part.number == 3) model.algorithm = static_cast<SentencePieceModel::Algorithm>(part.value);
      if (part.number == 35) model.byte_fallback = part.value != 0;
      if (part.number == 40) model.unknown_id = static_cast<std::int64_t>(part.value);
    }
  }
  if (model.pieces.empty()) corrupted("no pieces");
  return model;
}

std::vector<std::pair<std::string, std::string>> merges_of(const SentencePieceModel& model) {
  StringMap ids;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) ids.set(model.pieces[i].text, static_cast<std::int32_t>(i));
  struct Merge {
    double score;
    std::size_t left_chars, right_chars;
    std::int32_t left, right;
  };
  std::vector<Merge> all, local;
  for (std::size_t i = 0; i < model.pieces.size(); ++i) {
    const std::string& text = model.pieces[i].text;
    if (ids.find(text) != static_cast<std::int32_t>(i)) continue;
    std::size_t chars = 0, before = 0;
    for (const char c : text) chars += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    local.clear();
    for (std::size_t at = 0; at < text.size(); at += utf8_length(static_cast<unsigned char>(text[at])), ++before) {
      if (at == 0) continue;
      const std::int32_t left = ids.find(std::string_view(text).substr(0, at));
      const std::int32_t right = ids.find(std::string_view(text).substr(at));
      if (left >= 0 && right >= 0) local.push_back({model.pieces[i].score, before, chars - before, left, right});
    }
    std::sort(local.begin(), local.end(),
              [](const Merge& a, const Merge& b) { return std::pair(a.left, a.right) < std::pair(b.left, b.right); });
    all.insert(all.end(), local.begin(), local.end());
  }
  std::stable_sort(all.begin(), all.end(), [](const Merge& a, const Merge& b) {
    if (a.score != b.score) return a.score > b.score;
    return std::pair(a.left_chars, a.right_chars) > std::pair(b.left_chars, b.right_chars);
  });
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(all.size());
  for (const Merge& merge : all) {
    merges.emplace_back(model.pieces[static_cast<std::size_t>(merge.left)].text,
                        model.pieces[static_cast<std::size_t>(merge.right)].text);
  }
  return merges;
}

}  // namespace accelerate::text
