#include "text/jinja/character_methods.hpp"

#include "text/jinja/interpreter.hpp"
#include "text/jinja/strings.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

bool is_ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

bool is_letter(char32_t c) { return c < 0x80 ? is_ascii_letter(c) : Unicode::get().is(c, kLetter); }

bool is_digit(char32_t c) { return c < 0x80 ? c >= '0' && c <= '9' : Unicode::get().is(c, kNumeric); }

// Whether the text has a character and all of them hold.
template <typename Holds>
bool all(std::string_view text, Holds&& holds) {
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    if (!holds(c.value)) return false;
    at += c.length;
  }
  return !text.empty();
}

// Letters at the beginning of words go one way, the others another.
template <typename First, typename Other>
std::string by_words(std::string_view text, First&& first, Other&& other) {
  std::string out;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    const std::string_view character = text.substr(at, c.length);
    out += inside ? other(character) : first(character);
    inside = is_letter(c.value);
    at += c.length;
  }
  return out;
}

}  // namespace

Value upper_method(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.string().size());
  return to_upper(self.string());
}

Value lower_method(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.string().size());
  return to_lower(self.string());
}

Value capitalize_method(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.string().size());
  return capitalized(self.string());
}

Value title_method(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.string().size());
  return by_words(self.string(), to_upper, to_lower);
}

Value swapcase_method(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.string().size());
  const auto swapped = [](std::string_view character) {
    const std::string lower = to_lower(character);
    return lower != character ? lower : to_upper(character);
  };
  return by_words(self.string(), swapped, swapped);
}

Value isalpha_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return all(self.string(), is_letter);
}

Value isalnum_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return all(self.string(), [](char32_t c) { return is_letter(c) || is_digit(c); });
}

Value isdigit_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return all(self.string(), is_digit);
}

Value isspace_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return all(self.string(), is_space);
}

Value isascii_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return is_ascii(self.string());
}

Value islower_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.string() == to_lower(self.string()) && self.string() != to_upper(self.string());
}

Value isupper_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.string() == to_upper(self.string()) && self.string() != to_lower(self.string());
}

Value istitle_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.string() == by_words(self.string(), to_upper, to_lower) &&
         to_lower(self.string()) != to_upper(self.string());
}

Value isidentifier_method(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  const std::string& text = self.string();
  const auto part = [](char32_t c) { return c == '_' || is_letter(c) || is_digit(c); };
  return all(text, part) && !is_digit(decode_at(text, 0).value);
}

}  // namespace accelerate::text::jinja
