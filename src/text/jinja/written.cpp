#include "text/jinja/written.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <compare>

#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

void append_hex(std::string& out, std::string_view before, char32_t value, int digits) {
  constexpr char kHex[] = "0123456789abcdef";
  out += before;
  for (int shift = 4 * (digits - 1); shift >= 0; shift -= 4) out += kHex[(value >> shift) & 15];
}

// Whether repr writes the character as it is.
bool is_printable(char32_t c) {
  if (c < 0x7f) return c >= 0x20;
  return !Unicode::get().is(c, kControl) && !is_space(c);
}

void append_escaped(std::string& out, char32_t c) {
  if (c == '\n') {
    out += "\\n";
  } else if (c == '\r') {
    out += "\\r";
  } else if (c == '\t') {
    out += "\\t";
  } else if (c < 0x100) {
    append_hex(out, "\\x", c, 2);
  } else {
    append_hex(out, c < 0x10000 ? "\\u" : "\\U", c, c < 0x10000 ? 4 : 8);
  }
}

void append_quoted(std::string& out, std::string_view text) {
  const bool apostrophe = text.find('\'') != std::string_view::npos && text.find('"') == std::string_view::npos;
  const char quote = apostrophe ? '"' : '\'';
  out += quote;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    if (c.value == static_cast<char32_t>(quote) || c.value == '\\') out += '\\';
    if (is_printable(c.value)) {
      out += text.substr(at, c.length);
    } else {
      append_escaped(out, c.value);
    }
    at += c.length;
  }
  out += quote;
}

void append_repr(std::string& out, const Value& value, Budget& budget);

void append_items(std::string& out, const std::vector<Value>& items, Budget& budget) {
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) out += ", ";
    append_repr(out, items[i], budget);
  }
}

void append_sequence(std::string& out, const Value& value, Budget& budget) {
  const Sequence& sequence = value.sequence();
  const bool tuple = sequence.type == Sequence::Type::tuple;
  if (sequence.type == Sequence::Type::generator) {
    out += "<generator object>";
    return;
  }
  const bool plain = tuple || sequence.type == Sequence::Type::list || sequence.type == Sequence::Type::range;
  if (!plain) out.append(value.type_name()) += '(';
  out += tuple ? '(' : '[';
  append_items(out, sequence.items, budget);
  if (tuple && sequence.items.size() == 1) out += ',';
  out += tuple ? ')' : ']';
  if (!plain) out += ')';
}

void append_repr(std::string& out, const Value& value, Budget& budget) {
  budget.charge();
  switch (value.kind()) {
    case Kind::undefined: out += "Undefined"; return;
    case Kind::none: out += "None"; return;
    case Kind::boolean: out += value.truth() ? "True" : "False"; return;
    case Kind::integer: out += std::to_string(value.whole()); return;
    case Kind::real: out += real_repr(value.real()); return;
    case Kind::string:
      budget.charge_bytes(value.string().size());
      append_quoted(out, value.string());
      return;
    case Kind::sequence: append_sequence(out, value, budget); return;
    case Kind::dict:
      out += '{';
      for (std::size_t i = 0; i < value.dict().members.size(); ++i) {
        if (i > 0) out += ", ";
        append_repr(out, value.dict().members[i].first, budget);
        out += ": ";
        append_repr(out, value.dict().members[i].second, budget);
      }
      out += '}';
      return;
    case Kind::name_space: out += "<Namespace>"; return;  // its attributes may hold itself
    case Kind::callable: out += "<" + value.callable().name + ">"; return;
  }
}

// Python's repr has the digits of to_chars, but turns to an exponent below 1e-4 and from 1e16 on.
std::string plain_or_exponent(std::string_view digits, int exponent) {
  if (exponent < -4 || exponent >= 16) {
    std::string out(digits.substr(0, 1));
    if (digits.size() > 1) (out += '.') += digits.substr(1);
    const std::string size = std::to_string(std::abs(exponent));
    return out + (exponent < 0 ? "e-" : "e+") + (size.size() < 2 ? "0" : "") + size;
  }
  if (exponent < 0) return "0." + std::string(static_cast<std::size_t>(-exponent - 1), '0') + std::string(digits);
  const auto whole = static_cast<std::size_t>(exponent) + 1;
  std::string out(digits.substr(0, whole));
  if (digits.size() <= whole) return out.append(whole - digits.size(), '0') + ".0";
  return out + "." + std::string(digits.substr(whole));
}

class JsonWriter {
 public:
  JsonWriter(const JsonStyle& style, Budget& budget) : style_(style), budget_(budget) {}
  void write(const Value& value, std::size_t level);
  std::string take() { return std::move(out_); }

 private:
  void string(std::string_view text);
  void character(char32_t c, std::string_view bytes);
  void list(const Sequence& sequence, std::size_t level);
  void dict(const Dict& dict, std::size_t level);
  void new_line(std::size_t level);
  std::string key(const Value& value);

  std::string out_;
  const JsonStyle& style_;
  Budget& budget_;
};

void JsonWriter::new_line(std::size_t level) {
  if (!style_.indent) return;
  budget_.charge_bytes(style_.indent->size() * level);
  out_ += '\n';
  for (std::size_t i = 0; i < level; ++i) out_ += *style_.indent;
}

void JsonWriter::character(char32_t c, std::string_view bytes) {
  switch (c) {
    case '"': out_ += "\\\""; return;
    case '\\': out_ += "\\\\"; return;
    case '\n': out_ += "\\n"; return;
    case '\r': out_ += "\\r"; return;
    case '\t': out_ += "\\t"; return;
    case '\f': out_ += "\\f"; return;
    case '\b': out_ += "\\b"; return;
    default: break;
  }
  if (c >= 0x20 && (c < 0x7f || !style_.ascii)) {
    out_ += bytes;
  } else if (c < 0x10000) {
    append_hex(out_, "\\u", c, 4);
  } else {
    append_hex(out_, "\\u", 0xd800 + ((c - 0x10000) >> 10), 4);
    append_hex(out_, "\\u", 0xdc00 + ((c - 0x10000) & 0x3ff), 4);
  }
}

void JsonWriter::string(std::string_view text) {
  budget_.charge_bytes(text.size());
  out_ += '"';
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    character(c.value, text.substr(at, c.length));
    at += c.length;
  }
  out_ += '"';
}

void JsonWriter::list(const Sequence& sequence, std::size_t level) {
  out_ += '[';
  for (std::size_t i = 0; i < sequence.items.size(); ++i) {
    if (i > 0) out_ += style_.item_separator;
    new_line(level + 1);
    write(sequence.items[i], level + 1);
  }
  if (!sequence.items.empty()) new_line(level);
  out_ += ']';
}

std::string JsonWriter::key(const Value& value) {
  switch (value.kind()) {
    case Kind::string: return value.string();
    case Kind::none: return "null";
    case Kind::boolean: return value.truth() ? "true" : "false";
    case Kind::integer: return std::to_string(value.whole());
    case Kind::real: return real_repr(value.real());
    default: fail("keys must be str, int, float, bool or None, not " + std::string(value.type_name()));
  }
}

void JsonWriter::dict(const Dict& dict, std::size_t level) {
  std::vector<std::pair<Value, Value>> members = dict.members;
  if (style_.sort_keys) {
    std::stable_sort(members.begin(), members.end(),
                     [&](const auto& a, const auto& b) { return std::is_lt(compare(a.first, b.first, "<", budget_)); });
  }
  out_ += '{';
  for (std::size_t i = 0; i < members.size(); ++i) {
    if (i > 0) out_ += style_.item_separator;
    new_line(level + 1);
    string(key(members[i].first));
    out_ += style_.key_separator;
    write(members[i].second, level + 1);
  }
  if (!members.empty()) new_line(level);
  out_ += '}';
}

void JsonWriter::write(const Value& value, std::size_t level) {
  budget_.charge();
  switch (value.kind()) {
    case Kind::none: out_ += "null"; return;
    case Kind::boolean: out_ += value.truth() ? "true" : "false"; return;
    case Kind::integer: out_ += std::to_string(value.whole()); return;
    case Kind::real:
      out_ += std::isnan(value.real())   ? "NaN"
              : std::isinf(value.real()) ? (value.real() > 0 ? "Infinity" : "-Infinity")
                                         : real_repr(value.real());
      return;
    case Kind::string: string(value.string()); return;
    case Kind::dict: dict(value.dict(), level); return;
    case Kind::sequence: {
      const Sequence::Type type = value.sequence().type;
      if (type == Sequence::Type::list || type == Sequence::Type::tuple) return list(value.sequence(), level);
      break;
    }
    default: break;
  }
  fail("Object of type " + std::string(value.type_name()) + " is not JSON serializable");
}

}  // namespace

std::string real_repr(double value) {
  if (std::isnan(value)) return "nan";
  if (std::isinf(value)) return value > 0 ? "inf" : "-inf";
  if (value == 0) return std::signbit(value) ? "-0.0" : "0.0";
  char buffer[40];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(written.ptr - buffer));
  const std::size_t mark = text.find('e');
  std::string digits(text.substr(0, 1));
  if (mark > 2) digits += text.substr(2, mark - 2);
  int exponent = 0;
  const std::size_t sign = text[mark + 1] == '+' ? 1 : 0;
  std::from_chars(buffer + mark + 1 + sign, written.ptr, exponent);
  return (value < 0 ? "-" : "") + plain_or_exponent(digits, exponent);
}

void append_str(std::string& out, const Value& value, Budget& budget) {
  if (value.is(Kind::string)) {
    budget.charge_bytes(value.string().size());
    out += value.string();
  } else if (!value.is(Kind::undefined)) {
    append_repr(out, value, budget);
  }
}

std::string str(const Value& value, Budget& budget) {
  std::string out;
  append_str(out, value, budget);
  return out;
}

std::string repr(const Value& value, Budget& budget) {
  std::string out;
  append_repr(out, value, budget);
  return out;
}

std::string json_text(const Value& value, const JsonStyle& style, Budget& budget) {
  JsonWriter writer(style, budget);
  writer.write(value, 0);
  return writer.take();
}

}  // namespace accelerate::text::jinja
