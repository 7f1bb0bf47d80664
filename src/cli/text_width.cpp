#include "cli/text_width.hpp"

#include <array>
#include <cstdint>

namespace accelerate::cli {
namespace {

struct Range {
  char32_t first, last;
};

// Unicode Standard Annex 11, classes W and F, in blocks; a table wrong by a rare character costs a crooked column.
constexpr std::array kWide = {Range{0x1100, 0x115f},   Range{0x2e80, 0x303e},   Range{0x3041, 0x33ff},
                              Range{0x3400, 0x4dbf},   Range{0x4e00, 0x9fff},   Range{0xa000, 0xa4cf},
                              Range{0xac00, 0xd7a3},   Range{0xf900, 0xfaff},   Range{0xfe30, 0xfe6f},
                              Range{0xff00, 0xff60},   Range{0xffe0, 0xffe6},   Range{0x1f300, 0x1f64f},
                              Range{0x1f680, 0x1f6ff}, Range{0x1f900, 0x1f9ff}, Range{0x20000, 0x3fffd}};
constexpr std::array kCombining = {Range{0x0300, 0x036f}, Range{0x1ab0, 0x1aff}, Range{0x1dc0, 0x1dff},
                                   Range{0x200b, 0x200f}, Range{0x20d0, 0x20ff}, Range{0xfe00, 0xfe0f},
                                   Range{0xfe20, 0xfe2f}};

template <std::size_t N>
bool in(const std::array<Range, N>& ranges, char32_t code) {
  for (const Range& range : ranges) {
    if (code >= range.first && code <= range.last) return true;
  }
  return false;
}

// The code point that begins at `at`, and where the next one begins. What is no UTF-8 counts a byte each.
char32_t next_code_point(std::string_view text, std::size_t& at) {
  const auto lead = static_cast<unsigned char>(text[at++]);
  const std::size_t more = lead >= 0xf0 ? 3 : lead >= 0xe0 ? 2 : lead >= 0xc0 ? 1 : 0;
  if (more == 0) return lead;
  char32_t code = lead & (0x3fU >> more);
  for (std::size_t i = 0; i < more; ++i) {
    if (at >= text.size() || (static_cast<unsigned char>(text[at]) & 0xc0U) != 0x80U) return 0xfffd;
    code = (code << 6) | (static_cast<unsigned char>(text[at++]) & 0x3fU);
  }
  return code;
}

std::size_t width_of(char32_t code) {
  if (code < 0x300) return 1;
  return in(kCombining, code) ? 0 : in(kWide, code) ? 2 : 1;
}

}  // namespace

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (std::size_t at = 0; at < text.size();) width += width_of(next_code_point(text, at));
  return width;
}

std::string shortened(std::string_view text, std::size_t width) {
  std::size_t used = 0, kept = 0;
  for (std::size_t at = 0; at < text.size();) {
    used += width_of(next_code_point(text, at));
    if (used > width) return std::string(text.substr(0, kept)) + "…";
    if (used < width) kept = at;
  }
  return std::string(text);
}

std::string printable(std::string_view text) {
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else if (byte < 0x20 || byte == 0x7f) {
      out += std::string("\\x") + kHex[byte >> 4] + kHex[byte & 15];
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace accelerate::cli
