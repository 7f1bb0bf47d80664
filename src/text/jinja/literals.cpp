#include "text/jinja/literals.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::numeric_limits<int>::max();
}

// Digits from `at` on, single underscores between them; returns their end and appends them to `digits`.
std::size_t read_digits(std::string_view text, std::size_t at, int base, std::string& digits) {
  while (at < text.size()) {
    const bool underscore = text[at] == '_' && !digits.empty() && at + 1 < text.size();
    if (digit_of(text[at + (underscore ? 1 : 0)]) >= base) break;
    at += underscore ? 1 : 0;
    digits += text[at++];
  }
  return at;
}

// The end of a fraction and an exponent behind the whole part that ends at `at`; `at` where there is none.
std::size_t read_real(std::string_view text, std::size_t at, std::string& digits) {
  std::size_t end = at;
  std::string more;
  if (text.substr(at).starts_with(".")) {
    const std::size_t behind = read_digits(text, at + 1, 10, more);
    if (more.empty()) return at;
    digits += '.' + more;
    end = behind;
  }
  if (end < text.size() && (text[end] == 'e' || text[end] == 'E')) {
    std::size_t from = end + 1;
    const bool sign = from < text.size() && (text[from] == '+' || text[from] == '-');
    const std::string mark = sign && text[from] == '-' ? "e-" : "e";
    more.clear();
    from = read_digits(text, from + (sign ? 1 : 0), 10, more);
    if (more.empty()) return end;
    digits += mark + more;
    end = from;
  }
  return end;
}

NumberLiteral whole(const std::string& digits, int base, std::size_t length) {
  std::int64_t value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (read.ec != std::errc()) return {.error = "a number is beyond 64 bits"};
  return {.value = value, .length = length};
}

std::optional<char32_t> read_hex(std::string_view text, std::size_t at, std::size_t count) {
  char32_t value = 0;
  if (at + count > text.size()) return std::nullopt;
  for (std::size_t i = at; i < at + count; ++i) {
    if (digit_of(text[i]) >= 16) return std::nullopt;
    value = value * 16 + static_cast<char32_t>(digit_of(text[i]));
  }
  const bool scalar = value < 0xd800 || (value >= 0xe000 && value < 0x110000);
  return scalar ? std::optional(value) : std::nullopt;
}

char simple_escape(char c) {
  constexpr std::string_view kFrom = "\\'\"abfnrtv", kTo = "\\'\"\a\b\f\n\r\t\v";
  const std::size_t found = kFrom.find(c);
  return found == std::string_view::npos ? '\0' : kTo[found];
}

}  // namespace

NumberLiteral read_number(std::string_view text, bool real) {
  std::string digits;
  const char mark = text.size() > 1 && text[0] == '0' ? text[1] : '\0';
  for (const auto& [marks, base] : {std::pair("xX", 16), std::pair("oO", 8), std::pair("bB", 2)}) {
    if (mark == '\0' || std::string_view(marks).find(mark) == std::string_view::npos) continue;
    const std::size_t underscore = text.substr(2).starts_with("_") ? 1 : 0;
    const std::size_t end = read_digits(text, 2 + underscore, base, digits);
    if (!digits.empty()) return whole(digits, base, end);
  }
  const std::size_t end = read_digits(text, 0, 10, digits);
  const std::size_t real_end = real ? read_real(text, end, digits) : end;
  if (real_end == end) {
    const bool octal = digits.size() > 1 && digits[0] == '0' && digits.find_first_not_of('0') != std::string::npos;
    return octal ? NumberLiteral{.value = 0, .length = 1} : whole(digits, 10, end);
  }
  double value = 0;
  const auto read = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (read.ec != std::errc()) return {.error = "a number is beyond the range of double"};
  return {.value = value, .length = real_end};
}

std::optional<std::string> unescaped(std::string_view inside) {
  std::string out;
  for (std::size_t at = 0; at < inside.size(); ++at) {
    if (inside[at] != '\\' || at + 1 >= inside.size()) {
      out += inside[at];
      continue;
    }
    const char c = inside[++at];
    if (const char simple = simple_escape(c); simple != '\0') {
      out += simple;
    } else if (c == 'x' || c == 'u' || c == 'U') {
      const std::size_t count = c == 'x' ? 2 : c == 'u' ? 4 : 8;
      const auto value = read_hex(inside, at + 1, count);
      if (!value) return std::nullopt;
      append_utf8(out, *value);
      at += count;
    } else if (c >= '0' && c <= '7') {
      char32_t value = 0;
      const std::size_t end = std::min(at + 3, inside.size());
      for (; at < end && inside[at] >= '0' && inside[at] <= '7'; ++at)
        value = value * 8 + static_cast<char32_t>(inside[at] - '0');
      append_utf8(out, value);
      --at;
    } else if (c != '\n') {
      (out += '\\') += c;
    }
  }
  return out;
}

}  // namespace accelerate::text::jinja
