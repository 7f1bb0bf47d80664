#include "text/jinja/format.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

constexpr std::size_t kMostWidth = 1000, kMostPrecision = 100;

struct Spec {
  std::string fill = " ";
  char align = 0;  // < > ^ =, or none
  char sign = '-';
  bool alternative = false, grouped = false;
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char type = 0;
};

// A scan over a pattern.
struct Scan {
  std::string_view text;
  std::size_t at = 0;
  bool done() const { return at >= text.size(); }
  char peek() const { return done() ? '\0' : text[at]; }
  bool skip(char c) { return peek() == c && ++at > 0; }
  std::size_t number(std::size_t most) {
    std::size_t value = 0;
    for (; peek() >= '0' && peek() <= '9'; ++at) {
      value = value * 10 + static_cast<std::size_t>(peek() - '0');
      if (value > most) fail("a format asks for more than " + std::to_string(most) + " characters");
    }
    return value;
  }
};

std::string padded(std::string text, const Spec& spec, char otherwise) {
  const std::size_t count = character_count(text);
  if (count >= spec.width) return text;
  const std::size_t room = spec.width - count;
  const auto filled = [&](std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i) out += spec.fill;
    return out;
  };
  const char align = spec.align == 0 ? otherwise : spec.align;
  if (align == '<') return text + filled(room);
  if (align == '^') return filled(room / 2) + text + filled(room - room / 2);
  const bool signed_text = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
  if (align == '=' && signed_text) return text.substr(0, 1) + filled(room) + text.substr(1);
  return filled(room) + text;
}

void group_thousands(std::string& digits) {
  std::size_t at = std::min(digits.find_first_not_of("0123456789"), digits.size());
  while (at > 3) digits.insert(at -= 3, ",");
}

std::string with_sign(bool is_negative, char sign, std::string digits, bool grouped) {
  if (grouped) group_thousands(digits);
  if (is_negative) return "-" + digits;
  return sign == '-' ? digits : sign + digits;
}

std::string whole_digits(std::int64_t value, const Spec& spec) {
  const std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  const int base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  char buffer[72];
  std::string digits(buffer, std::to_chars(buffer, buffer + sizeof buffer, size, base).ptr);
  if (spec.type == 'X') digits = to_upper(digits);
  if (spec.alternative && base != 10) digits = std::string("0") + spec.type + digits;
  return with_sign(value < 0, spec.sign, digits, spec.grouped);
}

std::string real_digits(double value, const Spec& spec) {
  if (!std::isfinite(value)) return with_sign(value < 0, spec.sign, std::isnan(value) ? "nan" : "inf", false);
  const double size = std::abs(value) * (spec.type == '%' ? 100 : 1);
  std::string digits;
  if (spec.type == 0 && !spec.precision) {
    digits = real_repr(size);
  } else {
    const char type = spec.type == '%' ? 'f' : spec.type == 0 ? 'g' : spec.type;
    const std::string pattern = std::string("%.*") + type;
    char buffer[512];
    const auto precision = static_cast<int>(spec.precision.value_or(6));
    const int length = std::snprintf(buffer, sizeof buffer, pattern.c_str(), precision, size);
    digits.assign(buffer, static_cast<std::size_t>(std::max(length, 0)));
  }
  if (spec.type == '%') digits += '%';
  return with_sign(std::signbit(value), spec.sign, digits, spec.grouped);
}

bool is_real_type(char type) { return type != 0 && std::string_view("eEfFgG%").find(type) != std::string_view::npos; }

// What {:spec} makes of a value.
std::string formatted(const Value& value, const Spec& spec, Budget& budget) {
  budget.charge_bytes(spec.width);
  if (value.is(Kind::real) || (value.is_whole() && is_real_type(spec.type))) {
    return padded(real_digits(value.real(), spec), spec, '>');
  }
  if (value.is(Kind::integer) || (value.is(Kind::boolean) && spec.type != 0 && spec.type != 's')) {
    if (spec.type == 's') fail("Unknown format code 's' for object of type 'int'");
    return padded(whole_digits(value.whole(), spec), spec, '>');
  }
  if (spec.type != 0 && spec.type != 's') {
    fail("Unknown format code '" + std::string(1, spec.type) + "' for object of type '" +
         std::string(value.type_name()) + "'");
  }
  std::string text = str(value, budget);
  if (spec.precision) text.resize(byte_of(text, *spec.precision));
  return padded(std::move(text), spec, '<');
}

bool is_align(char c) { return c == '<' || c == '>' || c == '^' || c == '='; }

Spec parse_spec(std::string_view text) {
  Spec spec;
  Scan scan{text};
  if (!text.empty()) {
    const std::size_t first = utf8_length(static_cast<unsigned char>(text[0]));
    if (first < text.size() && is_align(text[first])) {
      spec.fill = text.substr(0, first);
      spec.align = text[first];
      scan.at = first + 1;
    } else if (is_align(text[0])) {
      spec.align = text[0];
      scan.at = 1;
    }
  }
  if (scan.peek() == '+' || scan.peek() == '-' || scan.peek() == ' ') spec.sign = text[scan.at++];
  spec.alternative = scan.skip('#');
  if (scan.peek() == '0' && spec.align == 0) {
    spec.fill = "0";
    spec.align = '=';
  }
  spec.width = scan.number(kMostWidth);
  spec.grouped = scan.skip(',');
  if (scan.skip('.')) spec.precision = scan.number(kMostPrecision);
  if (!scan.done()) spec.type = text[scan.at++];
  const bool known = spec.type == 0 || std::string_view("sdxXobeEfFgG%").find(spec.type) != std::string_view::npos;
  if (!scan.done() || !known) fail("Invalid format specifier '" + std::string(text) + "'");
  return spec;
}

// The value of a replacement field's name: 0, name, name.attribute, name[key]; empty for the next one.
Value field_value(std::string_view name, const Arguments& arguments, std::size_t& next, Budget& budget) {
  const std::size_t end = std::min(name.find_first_of(".["), name.size());
  const std::string_view first = name.substr(0, end);
  Value value;
  const bool numbered = first.find_first_not_of("0123456789") == std::string_view::npos;
  if (numbered) {
    Scan scan{first};
    const std::size_t index = first.empty() ? next++ : scan.number(1000000);
    if (index >= arguments.positional.size()) {
      fail("Replacement index " + std::to_string(index) + " out of range for positional args tuple");
    }
    value = arguments.positional[index];
  } else {
    const auto found = std::find_if(arguments.named.begin(), arguments.named.end(),
                                    [&](const auto& argument) { return *argument.first == first; });
    if (found == arguments.named.end()) fail("format has no argument \"" + std::string(first) + "\"");
    value = found->second;
  }
  for (std::size_t at = end; at < name.size();) {
    const bool bracket = name[at] == '[';
    const std::size_t stop = std::min(bracket ? name.find(']', at) : name.find_first_of(".[", at + 1), name.size());
    const std::string_view part = name.substr(at + 1, stop - at - 1);
    std::int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number = bracket && !part.empty() && read.ec == std::errc() && read.ptr == part.data() + part.size();
    const auto key = std::make_shared<const std::string>(part);
    value = number    ? item_of(value, index, budget)
            : bracket ? item_of(value, key, budget)
                      : attribute_of(value, key, budget);
    at = bracket ? stop + 1 : stop;
  }
  return value;
}

// One %-conversion: the scan stands behind the '%'.
class PercentFormat {
 public:
  PercentFormat(std::string_view pattern, const Value& values, Budget& budget)
      : scan_{pattern}, values_(values), budget_(budget) {}

  std::string run() {
    std::string out;
    while (!scan_.done()) {
      const char c = scan_.text[scan_.at++];
      if (c == '%') {
        out += conversion();
      } else {
        out += c;
      }
    }
    const bool used = !is_tuple() || next_ >= values_.sequence().items.size();
    // Python does not mind that what could be subscripted by names is not used.
    const bool one = values_.is(Kind::string) || values_.is_number() || values_.is(Kind::none);
    if (!used || (one && next_ == 0)) {
      fail("not all arguments converted during string formatting");
    }
    return out;
  }

 private:
  bool is_tuple() const { return values_.is(Kind::sequence) && values_.sequence().type == Sequence::Type::tuple; }

  Value take() {
    const std::size_t count = is_tuple() ? values_.sequence().items.size() : 1;
    if (next_ >= count) fail("not enough arguments for format string");
    ++next_;
    return is_tuple() ? values_.sequence().items[next_ - 1] : values_;
  }

  std::string conversion() {
    if (scan_.skip('%')) return "%";
    Value value;
    const bool named = scan_.skip('(');
    if (named) {
      const std::size_t end = std::min(scan_.text.find(')', scan_.at), scan_.text.size());
      if (!values_.is(Kind::dict)) fail("format requires a mapping");
      value = item_of(values_, scan_.text.substr(scan_.at, end - scan_.at), budget_);
      scan_.at = std::min(end + 1, scan_.text.size());
    }
    Spec spec{.align = '>'};
    for (; std::string_view("-+ #0").find(scan_.peek()) != std::string_view::npos && !scan_.done(); ++scan_.at) {
      const char flag = scan_.peek();
      if (flag == '-') spec.align = '<';
      if (flag == '+' || (flag == ' ' && spec.sign == '-')) spec.sign = flag;
      if (flag == '#') spec.alternative = true;
      if (flag == '0') zero_ = true;
    }
    spec.width = scan_.number(kMostWidth);
    if (scan_.skip('.')) spec.precision = scan_.number(kMostPrecision);
    if (scan_.done()) fail("incomplete format");
    const char type = scan_.text[scan_.at++];
    if (!named) value = take();
    return converted(value, spec, type);
  }

  std::string converted(const Value& value, Spec spec, char type) {
    const bool zero = std::exchange(zero_, false) && spec.align != '<';
    if (type == 's' || type == 'r') {
      std::string text = type == 's' ? str(value, budget_) : repr(value, budget_);
      if (spec.precision) text.resize(byte_of(text, *spec.precision));
      budget_.charge_bytes(spec.width);
      return padded(std::move(text), spec, '>');
    }
    if (std::string_view("diuxXoeEfFgG").find(type) == std::string_view::npos) {
      fail("unsupported format character '" + std::string(1, type) + "'");
    }
    if (!value.is_number()) {
      fail("%" + std::string(1, type) + " format: a real number is required, not " + std::string(value.type_name()));
    }
    if (zero) {
      spec.fill = "0";
      spec.align = '=';
    }
    spec.type = type == 'i' || type == 'u' ? 'd' : type;
    if (is_real_type(spec.type)) return formatted(value, spec, budget_);
    if (!(std::abs(value.real()) < 9.2e18)) fail("a whole number is beyond 64 bits");
    return formatted(value.is(Kind::real) ? static_cast<std::int64_t>(value.real()) : value.whole(), spec, budget_);
  }

  Scan scan_;
  const Value& values_;
  Budget& budget_;
  std::size_t next_ = 0;
  bool zero_ = false;
};

}  // namespace

std::string percent_format(std::string_view pattern, const Value& values, Budget& budget) {
  budget.charge_bytes(pattern.size());
  return PercentFormat(pattern, values, budget).run();
}

std::string brace_format(std::string_view pattern, const Arguments& arguments, Budget& budget) {
  budget.charge_bytes(pattern.size());
  std::string out;
  std::size_t next = 0;
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at++];
    if ((c == '{' || c == '}') && at < pattern.size() && pattern[at] == c) {
      out += c;
      ++at;
      continue;
    }
    if (c == '}') fail("Single '}' encountered in format string");
    if (c != '{') {
      out += c;
      continue;
    }
    const std::size_t end = pattern.find('}', at);
    if (end == std::string_view::npos) fail("expected '}' before end of string");
    std::string_view field = pattern.substr(at, end - at);
    at = end + 1;
    const std::size_t colon = std::min(field.find(':'), field.size());
    const std::string_view spec = colon < field.size() ? field.substr(colon + 1) : std::string_view();
    field = field.substr(0, colon);
    const std::size_t mark = std::min(field.find('!'), field.size());
    Value value = field_value(field.substr(0, mark), arguments, next, budget);
    if (field.substr(mark) == "!r") value = repr(value, budget);
    if (field.substr(mark) == "!s") value = str(value, budget);
    out += formatted(value, parse_spec(spec), budget);
  }
  return out;
}

}  // namespace accelerate::text::jinja
