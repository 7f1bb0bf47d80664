// Sets of Unicode scalar values: what a class of a regular expression means.
#pragma once

#include <span>
#include <vector>

namespace accelerate::decoding::constraint {

struct CodePointRange {
  char32_t first = 0, last = 0;  // both included
  bool operator==(const CodePointRange&) const = default;
};

// Ranges in order, none touching the next, without surrogates.
class CodePoints {
 public:
  CodePoints() = default;
  CodePoints(char32_t first, char32_t last) { add(first, last); }
  // In any order, without surrogates.
  explicit CodePoints(std::vector<CodePointRange> ranges) : ranges_(std::move(ranges)) { merge(); }

  CodePoints& add(char32_t first, char32_t last);
  CodePoints& add(const CodePoints& other);
  // All others.
  CodePoints complement() const;
  CodePoints without(const CodePoints& other) const;

  std::span<const CodePointRange> ranges() const { return ranges_; }
  bool contains(char32_t c) const;
  bool empty() const { return ranges_.empty(); }

  static CodePoints all() { return {0, 0x10ffff}; }

 private:
  void merge();
  std::vector<CodePointRange> ranges_;
};

// Named classes, as PCRE2 and ECMAScript have them for \d, \w and \s: of ASCII alone.
CodePoints digits();
CodePoints word_characters();
CodePoints white_space();
// \p{L} and \p{N}.
CodePoints letters();
CodePoints numbers();

}  // namespace accelerate::decoding::constraint
