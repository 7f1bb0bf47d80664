#include "text/unicode.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "text/unicode_tables.hpp"

namespace accelerate::text {
namespace {

constexpr std::size_t kBlocks = 0x1100;

// Writes values over code points into blocks of 256; untouched blocks share the first, which is zero.
template <typename T>
class BlockWriter {
 public:
  BlockWriter(std::vector<std::uint32_t>& block_of, std::vector<T>& values) : block_of_(block_of), values_(values) {
    if (block_of_.empty()) block_of_.assign(kBlocks, 0);
    if (values_.empty()) values_.assign(256, T{});
  }
  T& at(std::uint32_t c) {
    std::uint32_t& block = block_of_[c >> 8];
    if (block == 0) {
      block = static_cast<std::uint32_t>(values_.size());
      values_.resize(values_.size() + 256);
    }
    return values_[block + (c & 255)];
  }
  // Calls change(value) for the values of [c, end), a block at a time.
  template <typename F>
  void for_range(std::uint32_t c, std::uint32_t end, F&& change) {
    while (c < end) {
      const std::uint32_t stop = std::min(end, (c | 255U) + 1);
      T* values = &at(c);
      for (std::uint32_t i = 0; i < stop - c; ++i) change(values[i]);
      c = stop;
    }
  }

 private:
  std::vector<std::uint32_t>& block_of_;
  std::vector<T>& values_;
};

struct Ranges {
  const std::uint32_t* numbers;
  std::size_t size;
  std::uint32_t bit;
};

}  // namespace

const Unicode& Unicode::get() {
  static const Unicode unicode;
  return unicode;
}

Unicode::Unicode() {
  const Ranges all[] = {{tables::kSpace, tables::kSpaceSize, kSpace},
                        {tables::kWord, tables::kWordSize, kWord},
                        {tables::kLetter, tables::kLetterSize, kLetter},
                        {tables::kNumber, tables::kNumberSize, kNumber},
                        {tables::kNumeric, tables::kNumericSize, kNumeric},
                        {tables::kPunctuation, tables::kPunctuationSize, kPunctuation},
                        {tables::kControl, tables::kControlSize, kControl},
                        {tables::kNonspacingMark, tables::kNonspacingMarkSize, kNonspacingMark},
                        {tables::kCombiningMark, tables::kCombiningMarkSize, kCombiningMark},
                        {tables::kCombining, tables::kCombiningSize, kCombining},
                        {tables::kNfd, tables::kNfdSize, kNfd},
                        {tables::kNfkd, tables::kNfkdSize, kNfkd},
                        {tables::kNfc, tables::kNfcSize, kNfc},
                        {tables::kNfkc, tables::kNfkcSize, kNfkc},
                        {tables::kUpperLike, tables::kUpperLikeSize, kUpperLike},
                        {tables::kLowerLike, tables::kLowerLikeSize, kLowerLike}};
  classes_.reserve(300 * 256);
  BlockWriter<std::uint16_t> classes(block_of_, classes_);
  for (const Ranges& ranges : all) {
    std::uint32_t c = 0;
    for (std::size_t i = 0; i + 1 < ranges.size; i += 2) {
      c += ranges.numbers[i];
      const std::uint32_t end = c + ranges.numbers[i + 1];
      classes.for_range(c, end, [&](std::uint16_t& value) { value = static_cast<std::uint16_t>(value | ranges.bit); });
      c = end;
    }
  }
  BlockWriter<std::int32_t> lower(lower_block_of_, lower_);
  for (std::uint32_t c = 'A'; c <= 'Z'; ++c) lower.at(c) = 32;
  lower.at(0x130) = 'i' - 0x130;
  for (std::size_t i = 0; i + 3 < tables::kLowerSize; i += 4) {
    for (std::int32_t c = tables::kLower[i]; c <= tables::kLower[i + 1]; c += tables::kLower[i + 2]) {
      lower.at(static_cast<std::uint32_t>(c)) = tables::kLower[i + 3];
    }
  }
  BlockWriter<std::uint8_t> scripts(script_block_of_, scripts_);
  std::uint32_t c = 0;
  for (std::size_t i = 0; i + 2 < tables::kScriptsSize; i += 3) {
    c += tables::kScripts[i];
    const std::uint32_t end = c + tables::kScripts[i + 1];
    const auto number = static_cast<std::uint8_t>(tables::kScripts[i + 2]);
    scripts.for_range(c, end, [&](std::uint8_t& value) { value = number; });
    c = end;
  }
}

std::size_t utf8_size(char32_t c) { return c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4; }

void append_utf8(std::string& out, char32_t c) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0 | c >> 6);
    put(0x80 | (c & 63));
  } else if (c < 0x10000) {
    put(0xe0 | c >> 12);
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  } else {
    put(0xf0 | c >> 18);
    put(0x80 | (c >> 12 & 63));
    put(0x80 | (c >> 6 & 63));
    put(0x80 | (c & 63));
  }
}

std::size_t ascii_prefix(std::string_view text) {
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t word;
    std::memcpy(&word, text.data() + i, 8);
    if ((word & 0x8080808080808080U) != 0) break;
  }
  while (i < text.size() && static_cast<signed char>(text[i]) >= 0) ++i;
  return i;
}

bool is_ascii(std::string_view text) { return ascii_prefix(text) == text.size(); }

namespace {

struct Checked {
  bool valid;
  std::size_t length;  // of the sequence, or of the longest prefix of a valid one (at least 1)
};

// The sequence at `i`, by the table of well-formed byte sequences (Unicode, table 3-7).
Checked check_sequence(std::string_view text, std::size_t i) {
  const auto byte = [&](std::size_t k) {
    return i + k < text.size() ? static_cast<unsigned char>(text[i + k]) : static_cast<unsigned char>(0);
  };
  const unsigned char lead = byte(0);
  if (lead < 0x80) return {true, 1};
  if (lead < 0xc2 || lead > 0xf4) return {false, 1};
  const std::size_t length = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  const unsigned char low = lead == 0xe0 ? 0xa0 : lead == 0xf0 ? 0x90 : 0x80;
  const unsigned char high = lead == 0xed ? 0x9f : lead == 0xf4 ? 0x8f : 0xbf;
  if (byte(1) < low || byte(1) > high) return {false, 1};
  for (std::size_t k = 2; k < length; ++k) {
    if ((byte(k) & 0xc0) != 0x80) return {false, k};
  }
  return {true, length};
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    i += ascii_prefix(text.substr(i));
    while (i < text.size() && static_cast<signed char>(text[i]) < 0) {
      const Checked found = check_sequence(text, i);
      if (!found.valid) return i;
      i += found.length;
    }
  }
  return std::string_view::npos;
}

std::string to_valid_utf8(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  std::size_t i = 0;
  while (i < bytes.size()) {
    const Checked found = check_sequence(bytes, i);
    if (found.valid) {
      out.append(bytes.substr(i, found.length));
    } else {
      out += "\xef\xbf\xbd";
    }
    i += found.length;
  }
  return out;
}

namespace {

struct ByteAlphabet {
  std::array<char32_t, 256> chars{};
  std::array<std::int16_t, 512> bytes{};
};

constexpr ByteAlphabet make_byte_alphabet() {
  ByteAlphabet alphabet;
  for (std::int16_t& byte : alphabet.bytes) byte = -1;
  char32_t next = 256;
  for (std::uint32_t byte = 0; byte < 256; ++byte) {
    const bool printable =
        (byte >= '!' && byte <= '~') || (byte >= 0xa1 && byte <= 0xac) || (byte >= 0xae && byte <= 0xff);
    const char32_t c = printable ? byte : next++;
    alphabet.chars[byte] = c;
    alphabet.bytes[c] = static_cast<std::int16_t>(byte);
  }
  return alphabet;
}

constexpr ByteAlphabet kByteAlphabet = make_byte_alphabet();

}  // namespace

char32_t byte_to_char(unsigned char byte) { return kByteAlphabet.chars[byte]; }

int char_to_byte(char32_t c) { return c < 512 ? kByteAlphabet.bytes[c] : -1; }

bool bytes_of_token(std::string_view token, std::string& out) {
  out.clear();
  for (std::size_t i = 0; i < token.size();) {
    const Decoded c = decode_at(token, i);
    const int byte = char_to_byte(c.value);
    if (byte < 0) return false;
    out.push_back(static_cast<char>(byte));
    i += c.length;
  }
  return true;
}

}  // namespace accelerate::text
