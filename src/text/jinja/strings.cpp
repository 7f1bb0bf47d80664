#include "text/jinja/strings.hpp"

#include <utf8proc.h>

#include <algorithm>

#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

bool ends_line(char32_t c) {
  return (c >= 0x0a && c <= 0x0d) || (c >= 0x1c && c <= 0x1e) || c == 0x85 || c == 0x2028 || c == 0x2029;
}

template <typename Map>
std::string mapped(std::string_view text, Map&& map) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    map(out, c.value);
    at += c.length;
  }
  return out;
}

void append_upper(std::string& out, char32_t c) {
  if (c == 0xdf) {
    out += "SS";
  } else {
    append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
  }
}

void append_lower(std::string& out, char32_t c) {
  append_utf8(out, Unicode::get().lower(c));
  if (c == 0x130) append_utf8(out, 0x307);
}

}  // namespace

std::size_t character_count(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::size_t byte_of(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  while (index > 0 && at < text.size()) {
    at += utf8_length(static_cast<unsigned char>(text[at]));
    --index;
  }
  return at;
}

bool is_space(char32_t c) {
  if (c < 0x80) return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20);
  return Unicode::get().is(c, kSpace);
}

std::string to_upper(std::string_view text) { return mapped(text, append_upper); }
std::string to_lower(std::string_view text) { return mapped(text, append_lower); }

std::string capitalized(std::string_view text) {
  if (text.empty()) return {};
  const std::size_t first = utf8_length(static_cast<unsigned char>(text[0]));
  return to_upper(text.substr(0, first)) + to_lower(text.substr(first));
}

std::string_view stripped(std::string_view text, Ends ends, std::optional<std::string_view> these) {
  const auto removed = [&](std::string_view character, char32_t c) {
    return these ? these->find(character) != std::string_view::npos : is_space(c);
  };
  while (ends != Ends::right && !text.empty()) {
    const Decoded c = decode_at(text, 0);
    if (!removed(text.substr(0, c.length), c.value)) break;
    text.remove_prefix(c.length);
  }
  while (ends != Ends::left && !text.empty()) {
    const std::size_t start = previous_start(text, text.size());
    if (!removed(text.substr(start), decode_at(text, start).value)) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

std::vector<std::string_view> lines_of(std::string_view text, bool keep_ends) {
  std::vector<std::string_view> lines;
  std::size_t start = 0;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    const std::size_t end = at;
    at += c.length;
    if (!ends_line(c.value)) continue;
    if (c.value == '\r' && at < text.size() && text[at] == '\n') ++at;
    lines.push_back(text.substr(start, (keep_ends ? at : end) - start));
    start = at;
  }
  if (start < text.size()) lines.push_back(text.substr(start));
  return lines;
}

std::string replaced(std::string_view text, std::string_view old, std::string_view with, std::int64_t most) {
  std::string out;
  std::size_t at = 0;
  for (std::int64_t done = 0; most < 0 || done < most; ++done) {
    // An empty text is found before each character and at the end.
    const std::size_t found = old.empty() ? at : text.find(old, at);
    if (found == std::string_view::npos || found > text.size()) break;
    out += text.substr(at, found - at);
    out += with;
    at = found + old.size();
    if (!old.empty()) continue;
    if (at == text.size()) return out;
    const std::size_t length = utf8_length(static_cast<unsigned char>(text[at]));
    out += text.substr(at, length);
    at += length;
  }
  return out.append(text.substr(at));
}

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&': out += "&amp;"; break;
      case '<': out += "&lt;"; break;
      case '>': out += "&gt;"; break;
      case '\'': out += "&#39;"; break;
      case '"': out += "&#34;"; break;
      default: out += c;
    }
  }
  return out;
}

}  // namespace accelerate::text::jinja
