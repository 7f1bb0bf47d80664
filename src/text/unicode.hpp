// Unicode as the `tokenizers` library sees it: UTF-8, character classes, case, normal forms.
//
// The library mixes Unicode versions; the classes here are measured on it (tools/make_unicode_tables.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace accelerate::text {

// Bits of a code point's class.
enum CharClass : std::uint32_t {
  kSpace = 1U << 0,           // White_Space
  kWord = 1U << 1,            // \w of regular expressions
  kLetter = 1U << 2,          // \p{L}
  kNumber = 1U << 3,          // \p{N}
  kNumeric = 1U << 4,         // what Digits splits on
  kPunctuation = 1U << 5,     // what Punctuation and BertPreTokenizer split on
  kControl = 1U << 6,         // what BertNormalizer's clean_text removes
  kNonspacingMark = 1U << 7,  // what BertNormalizer's strip_accents removes after NFD
  kCombiningMark = 1U << 8,   // what StripAccents removes
  kCombining = 1U << 9,       // combining class is not 0
  kNfd = 1U << 10,            // takes part in canonical decomposition
  kNfkd = 1U << 11,           // takes part in compatibility decomposition
  kNfc = 1U << 12,            // takes part in canonical composition
  kNfkc = 1U << 13,           // takes part in compatibility composition
  kUpperLike = 1U << 14,      // \p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}
  kLowerLike = 1U << 15,      // \p{Ll}\p{Lm}\p{Lo}\p{M}
};

// Classes and simple lower case of all code points; one table a process, built at first use (about 0.2 ms).
class Unicode {
 public:
  static const Unicode& get();

  std::uint32_t classes(char32_t c) const { return c < 0x110000 ? classes_[block_of_[c >> 8] + (c & 255)] : 0; }
  bool is(char32_t c, std::uint32_t any_of) const { return (classes(c) & any_of) != 0; }
  // Lower case of one code point; U+0130 has two and gives 'i', its U+0307 is up to the caller.
  char32_t lower(char32_t c) const {
    return c < 0x110000
               ? static_cast<char32_t>(static_cast<std::int32_t>(c) + lower_[lower_block_of_[c >> 8] + (c & 255)])
               : c;
  }
  // Number of the script, Hiragana and Katakana counted as Han; 0 for code points without one and for the space.
  std::uint32_t script(char32_t c) const { return c < 0x110000 ? scripts_[script_block_of_[c >> 8] + (c & 255)] : 0; }

 private:
  Unicode();
  std::vector<std::uint32_t> block_of_, lower_block_of_, script_block_of_;  // start of each block of 256
  std::vector<std::uint16_t> classes_;
  std::vector<std::int32_t> lower_;
  std::vector<std::uint8_t> scripts_;
};

// Bytes of the UTF-8 sequence that starts with `lead`; 1 for a byte that cannot start one.
inline std::size_t utf8_length(unsigned char lead) { return lead < 0xc0 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4; }

struct Decoded {
  char32_t value;
  std::uint32_t length;  // bytes
};
// The code point at `position` of valid UTF-8.
inline Decoded decode_at(std::string_view text, std::size_t position) {
  const auto byte = [&](std::size_t i) {
    return static_cast<char32_t>(static_cast<unsigned char>(text[position + i]));
  };
  const char32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0) return {(lead & 31) << 6 | (byte(1) & 63), 2};
  if (lead < 0xf0) return {(lead & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63), 3};
  return {(lead & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63), 4};
}
// Start of the code point before `position` (> 0) of valid UTF-8.
inline std::size_t previous_start(std::string_view text, std::size_t position) {
  --position;
  while (position > 0 && (static_cast<unsigned char>(text[position]) & 0xc0) == 0x80) --position;
  return position;
}
void append_utf8(std::string& out, char32_t c);
std::size_t utf8_size(char32_t c);

// Offset of the first byte that is no valid UTF-8, or npos.
std::size_t find_invalid_utf8(std::string_view text);
bool is_ascii(std::string_view text);
// Length of the ASCII text that `text` starts with.
std::size_t ascii_prefix(std::string_view text);
// Invalid sequences become U+FFFD, one for each maximal part (as WHATWG decoders and Rust do).
std::string to_valid_utf8(std::string_view bytes);

// A code point of a rewritten text and what it stands for: 0 replaces the next one of the old text, 1 is inserted,
// -n replaces the next one and swallows n more.
struct Change {
  char32_t value;
  std::int32_t change;
};

enum class NormalForm : std::uint8_t { nfc, nfd, nfkc, nfkd };
// The class bit of code points that the form may touch; others (and ASCII) stay as they are.
std::uint32_t touched_by(NormalForm form);
// Appends the normal form of `text` (valid UTF-8) to `out`, with changes against the old code points.
void normalize(NormalForm form, std::string_view text, std::vector<Change>& out);
// Canonical decomposition of one code point, appended to `out`; itself where it has none.
void decompose(char32_t c, bool compatibility, std::u32string& out);

// The GPT-2 alphabet of byte-level tokenizers: a printable code point for each byte.
char32_t byte_to_char(unsigned char byte);
// The byte of an alphabet's code point, or -1.
int char_to_byte(char32_t c);
// The bytes that a byte-level token stands for; false (and `out` unspecified) when a code point is outside the
// alphabet.
bool bytes_of_token(std::string_view token, std::string& out);

}  // namespace accelerate::text
