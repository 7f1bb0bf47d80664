// A text that is rewritten step by step and remembers, for each byte, which part of the original it stands for.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/unicode.hpp"

namespace accelerate::text {

// Half-open range of bytes of the original text.
struct Origin {
  std::uint32_t begin = 0, end = 0;
};

// While a text is an unchanged part of the original, or was changed only byte for byte, its origins are implied and
// cost nothing; an untracked text has none at all (ids only).
class AlignedText {
 public:
  enum class Tracking : std::uint8_t { none, implied, listed };

  AlignedText() = default;
  // `text` begins at byte `base` of the original.
  void assign(std::string_view text, std::uint32_t base, bool tracked);
  void clear(bool tracked);

  std::string_view view() const { return bytes_; }
  std::string_view view(std::size_t begin, std::size_t end) const {
    return std::string_view(bytes_).substr(begin, end - begin);
  }
  std::size_t size() const { return bytes_.size(); }
  bool tracked() const { return tracking_ != Tracking::none; }

  // Where the bytes [begin, end) (begin < end) came from.
  Origin origin(std::size_t begin, std::size_t end) const;
  Origin origin_of_char(std::size_t begin) const { return origin(begin, begin + utf8_length(lead(begin))); }

  // Byte-for-byte changes that keep every origin: same length, same code point boundaries.
  std::string& bytes_in_place() { return bytes_; }

  // Appends bytes [begin, end) of `other` with their origins.
  void append(const AlignedText& other, std::size_t begin, std::size_t end);
  // Appends `text`, all of it standing for `origin`.
  void append(std::string_view text, Origin origin);
  void append(char32_t c, Origin origin);

  friend class Rewriter;

 private:
  unsigned char lead(std::size_t i) const { return static_cast<unsigned char>(bytes_[i]); }
  void list_origins();

  std::string bytes_;
  std::vector<Origin> origins_;  // where listed: one a byte
  std::uint32_t base_ = 0;       // where implied: the original's byte under bytes_[0]
  Tracking tracking_ = Tracking::implied;
};

// Rewrites `from` into `to` with the origins that the `tokenizers` library's transformations give: an inserted code
// point stands for what the one before it stood for.
class Rewriter {
 public:
  // Bytes [begin, end) of `from` are the text that is rewritten; `to` is appended to.
  Rewriter(const AlignedText& from, std::size_t begin, std::size_t end, AlignedText& to)
      : from_(from), begin_(begin), end_(end), position_(begin), to_(to) {}

  // Keeps everything up to byte `end` of `from`.
  void keep_until(std::size_t end) {
    if (end <= position_) return;
    to_.append(from_, position_, end);
    position_ = end;
  }
  void skip_chars(std::size_t count);
  void put(Change next);

 private:
  const AlignedText& from_;
  std::size_t begin_, end_, position_;
  AlignedText& to_;
};

}  // namespace accelerate::text
