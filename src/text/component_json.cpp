#include <array>

#include "text/components.hpp"

namespace accelerate::text {

std::string_view type_of(const Json& json) {
  const Json* type = json.find("type");
  return type != nullptr && type->is_string() ? std::string_view(type->as_string()) : std::string_view();
}

bool bool_or(const Json& json, std::string_view key, bool otherwise) {
  const Json* value = json.find(key);
  if (value == nullptr || value->is_null()) return otherwise;
  try {
    return value->as_bool();
  } catch (const Error& error) {
    throw error.within(key);
  }
}

char32_t char_at(const Json& json, std::string_view key) {
  const std::string& text = json.at(key).as_string();
  if (text.empty() || decode_at(text, 0).length != text.size()) {
    throw Error(ErrorKind::corrupted, "found \"" + text + "\", expected one character", std::string(key));
  }
  return decode_at(text, 0).value;
}

void unknown_type(std::string_view what, const Json& json) {
  const std::string_view type = type_of(json);
  if (type.empty()) throw Error(ErrorKind::corrupted, "a " + std::string(what) + " without a type");
  throw Error(ErrorKind::unsupported, "unknown " + std::string(what) + " type \"" + std::string(type) + "\"");
}

std::string from_base64(std::string_view text) {
  std::string out;
  out.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  int count = 0;
  std::size_t i = 0;
  for (; i < text.size() && text[i] != '='; ++i) {
    const char c = text[i];
    const int value = c >= 'A' && c <= 'Z'   ? c - 'A'
                      : c >= 'a' && c <= 'z' ? c - 'a' + 26
                      : c >= '0' && c <= '9' ? c - '0' + 52
                      : c == '+'             ? 62
                      : c == '/'             ? 63
                                             : -1;
    if (value < 0) throw Error(ErrorKind::corrupted, "character " + std::to_string(i) + " is no base64");
    bits = bits << 6 | static_cast<std::uint32_t>(value);
    if (++count == 4) {
      out.push_back(static_cast<char>(bits >> 16 & 255));
      out.push_back(static_cast<char>(bits >> 8 & 255));
      out.push_back(static_cast<char>(bits & 255));
      bits = 0;
      count = 0;
    }
  }
  if (count == 1) throw Error(ErrorKind::corrupted, "base64 text that ends inside a byte");
  if (count >= 2) out.push_back(static_cast<char>(bits >> (count == 2 ? 4 : 10) & 255));
  if (count == 3) out.push_back(static_cast<char>(bits >> 2 & 255));
  return out;
}

}  // namespace accelerate::text
