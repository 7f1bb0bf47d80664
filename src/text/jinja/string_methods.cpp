// Methods of str that are not about classes of characters.
#include <algorithm>
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/character_methods.hpp"
#include "text/jinja/format.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

constexpr std::size_t kNone = std::string_view::npos;

const std::string& string_of(const Value& value) {
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (!value.is(Kind::string)) fail("expected str instance, " + std::string(value.type_name()) + " found");
  return value.string();
}

const std::string& argument(const Given& given, std::size_t i) { return string_of(given.required(i)); }

bool left_out(const Given& given, std::size_t i) { return given[i] == nullptr || given[i]->is(Kind::none); }

template <Ends kEnds>
Value strip(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  if (left_out(given, 0)) return stripped(self.string(), kEnds);
  return stripped(self.string(), kEnds, std::string_view(argument(given, 0)));
}

// The part of the text between the code points of arguments 1 and 2, and where it begins in bytes.
struct Part {
  std::string_view text;
  std::size_t begin = 0;
  bool exists = true;
};

Part part_of(const std::string& text, const Given& given) {
  if (left_out(given, 1) && left_out(given, 2)) return {text};
  const auto count = static_cast<std::int64_t>(character_count(text));
  const auto place = [&](std::size_t i, std::int64_t otherwise) {
    const std::int64_t at = left_out(given, i) ? otherwise : given.whole_or(i, otherwise);
    return at < 0 ? std::max<std::int64_t>(at + count, 0) : at;
  };
  const std::int64_t from = place(1, 0), to = std::min(place(2, count), count);
  if (from > to) return {{}, text.size(), false};
  const std::size_t begin = byte_of(text, static_cast<std::size_t>(from));
  const std::size_t end = byte_of(text, static_cast<std::size_t>(to));
  return {std::string_view(text).substr(begin, end - begin), begin, true};
}

// startswith, endswith: one text or a tuple of them.
template <bool kStart>
Value has_end(Interpreter& interpreter, const Value& self, const Given& given) {
  const Part part = part_of(self.string(), given);
  const auto fits = [&](const Value& text) {
    const std::string& end = string_of(text);
    return part.exists && (kStart ? part.text.starts_with(end) : part.text.ends_with(end));
  };
  const Value& ends = given.required(0);
  if (!ends.is(Kind::sequence) || ends.sequence().type != Sequence::Type::tuple) return fits(ends);
  const std::vector<Value> all = iterate(ends, interpreter.budget());
  return std::any_of(all.begin(), all.end(), fits);
}

// Code point at which the argument is found, or -1.
std::int64_t place_of(const Value& self, const Given& given, bool from_end) {
  const Part part = part_of(self.string(), given);
  const std::string& wanted = argument(given, 0);
  const std::size_t found = from_end ? part.text.rfind(wanted) : part.text.find(wanted);
  if (!part.exists || found == kNone) return -1;
  return static_cast<std::int64_t>(character_count(std::string_view(self.string()).substr(0, part.begin + found)));
}

template <bool kFromEnd>
Value find(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  return place_of(self, given, kFromEnd);
}

template <bool kFromEnd>
Value index(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  const std::int64_t found = place_of(self, given, kFromEnd);
  if (found < 0) fail("substring not found");
  return found;
}

Value count(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  const Part part = part_of(self.string(), given);
  const std::string& wanted = argument(given, 0);
  if (!part.exists) return 0;
  if (wanted.empty()) return character_count(part.text) + 1;
  std::size_t times = 0;
  for (std::size_t at = part.text.find(wanted); at != kNone; at = part.text.find(wanted, at + wanted.size())) ++times;
  return times;
}

Value replace(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::string& old = argument(given, 0);
  const std::string& with = argument(given, 1);
  const std::size_t size = self.string().size();
  interpreter.budget().charge_bytes(size + (old.empty() ? size + 1 : size / old.size()) * with.size());
  return replaced(self.string(), old, with, given.whole_or(2, -1));
}

std::vector<Value> values_of(const std::vector<std::string_view>& pieces) { return {pieces.begin(), pieces.end()}; }

// Pieces between white space; what remains after `most` splits is one piece, the space at its far end included.
std::vector<std::string_view> words(std::string_view text, std::int64_t most, bool from_end) {
  const Ends near = from_end ? Ends::right : Ends::left;
  std::vector<std::string_view> pieces;
  for (text = stripped(text, near); !text.empty(); text = stripped(text, near)) {
    if (most >= 0 && static_cast<std::int64_t>(pieces.size()) >= most) break;
    const auto space_at = [&](std::size_t at) { return is_space(decode_at(text, at).value); };
    if (from_end) {
      std::size_t begin = text.size();
      while (begin > 0 && !space_at(previous_start(text, begin))) begin = previous_start(text, begin);
      pieces.push_back(text.substr(begin));
      text = text.substr(0, begin);
    } else {
      std::size_t end = 0;
      while (end < text.size() && !space_at(end)) end += decode_at(text, end).length;
      pieces.push_back(text.substr(0, end));
      text = text.substr(end);
    }
  }
  if (!text.empty()) pieces.push_back(text);
  if (from_end) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

std::vector<std::string_view> pieces_between(std::string_view text, const std::string& mark, std::int64_t most,
                                             bool from_end) {
  if (mark.empty()) fail("empty separator");
  std::vector<std::string_view> pieces;
  while (most < 0 || static_cast<std::int64_t>(pieces.size()) < most) {
    const std::size_t at = from_end ? text.rfind(mark) : text.find(mark);
    if (at == kNone) break;
    pieces.push_back(from_end ? text.substr(at + mark.size()) : text.substr(0, at));
    text = from_end ? text.substr(0, at) : text.substr(at + mark.size());
  }
  pieces.push_back(text);
  if (from_end) std::reverse(pieces.begin(), pieces.end());
  return pieces;
}

template <bool kFromEnd>
Value split(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::string& text = self.string();
  const std::int64_t most = given.whole_or(1, -1);
  const auto pieces =
      left_out(given, 0) ? words(text, most, kFromEnd) : pieces_between(text, argument(given, 0), most, kFromEnd);
  interpreter.budget().charge_bytes(text.size());
  interpreter.budget().charge(pieces.size());
  return make_sequence(values_of(pieces));
}

Value splitlines(Interpreter& interpreter, const Value& self, const Given& given) {
  const auto lines = lines_of(self.string(), given.truth_or(0, false));
  interpreter.budget().charge_bytes(self.string().size());
  interpreter.budget().charge(lines.size());
  return make_sequence(values_of(lines));
}

template <bool kFromEnd>
Value partition(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::string_view text = self.string();
  const std::string& mark = argument(given, 0);
  if (mark.empty()) fail("empty separator");
  interpreter.budget().charge_bytes(text.size());
  const std::size_t at = kFromEnd ? text.rfind(mark) : text.find(mark);
  if (at == kNone && kFromEnd) return make_sequence({"", "", text}, Sequence::Type::tuple);
  if (at == kNone) return make_sequence({text, "", ""}, Sequence::Type::tuple);
  return make_sequence({text.substr(0, at), mark, text.substr(at + mark.size())}, Sequence::Type::tuple);
}

Value join(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  std::string out;
  std::size_t number = 0;
  for (const Value& item : iterate(given.required(0), budget)) {
    if (!item.is(Kind::string)) {
      fail("sequence item " + std::to_string(number) + ": expected str instance, " + std::string(item.type_name()) +
           " found");
    }
    budget.charge_bytes(item.string().size() + self.string().size());
    if (number++ > 0) out += self.string();
    out += item.string();
  }
  return out;
}

Value removeprefix(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  const std::string_view text = self.string(), prefix = argument(given, 0);
  return text.starts_with(prefix) ? text.substr(prefix.size()) : text;
}

Value removesuffix(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  const std::string_view text = self.string(), suffix = argument(given, 0);
  return text.ends_with(suffix) ? text.substr(0, text.size() - suffix.size()) : text;
}

enum class Side : std::uint8_t { left, right, both };

template <Side kTextAt>
Value justify(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::string& text = self.string();
  const std::string fill = given[1] != nullptr ? argument(given, 1) : " ";
  if (character_count(fill) != 1) fail("The fill character must be exactly one character long");
  const auto count = static_cast<std::int64_t>(character_count(text));
  const std::int64_t width = given.whole_or(0, 0);
  if (width <= count) return text;
  const auto room = static_cast<std::size_t>(width - count);
  interpreter.budget().charge_bytes(text.size());
  interpreter.budget().charge(room);
  std::size_t before = kTextAt == Side::left ? 0 : room;
  if (kTextAt == Side::both) before = room / 2 + (room & static_cast<std::size_t>(width) & 1);
  std::string out;
  for (std::size_t i = 0; i < before; ++i) out += fill;
  out += text;
  for (std::size_t i = before; i < room; ++i) out += fill;
  return out;
}

Value zfill(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::string& text = self.string();
  const auto count = static_cast<std::int64_t>(character_count(text));
  const std::int64_t width = given.whole_or(0, 0);
  if (width <= count) return text;
  interpreter.budget().charge(static_cast<std::size_t>(width));
  const std::size_t sign = text.starts_with('-') || text.starts_with('+') ? 1 : 0;
  return text.substr(0, sign) + std::string(static_cast<std::size_t>(width - count), '0') + text.substr(sign);
}

Value format(Interpreter& interpreter, const Value& self, const Given& given) {
  return brace_format(self.string(), given.all(), interpreter.budget());
}

constexpr std::array kMethods = {
    Builtin{"strip", strip<Ends::both>, "chars="},
    Builtin{"lstrip", strip<Ends::left>, "chars="},
    Builtin{"rstrip", strip<Ends::right>, "chars="},
    Builtin{"split", split<false>, "sep= maxsplit="},
    Builtin{"rsplit", split<true>, "sep= maxsplit="},
    Builtin{"splitlines", splitlines, "keepends="},
    Builtin{"startswith", has_end<true>, "prefix start= end="},
    Builtin{"endswith", has_end<false>, "suffix start= end="},
    Builtin{"replace", replace, "old new count="},
    Builtin{"find", find<false>, "sub start= end="},
    Builtin{"rfind", find<true>, "sub start= end="},
    Builtin{"index", index<false>, "sub start= end="},
    Builtin{"rindex", index<true>, "sub start= end="},
    Builtin{"count", count, "sub start= end="},
    Builtin{"partition", partition<false>, "sep"},
    Builtin{"rpartition", partition<true>, "sep"},
    Builtin{"join", join, "iterable"},
    Builtin{"removeprefix", removeprefix, "prefix"},
    Builtin{"removesuffix", removesuffix, "suffix"},
    Builtin{"ljust", justify<Side::left>, "width fillchar="},
    Builtin{"rjust", justify<Side::right>, "width fillchar="},
    Builtin{"center", justify<Side::both>, "width fillchar="},
    Builtin{"zfill", zfill, "width"},
    Builtin{"format", format, "*"},
    Builtin{"upper", upper_method, ""},
    Builtin{"lower", lower_method, ""},
    Builtin{"casefold", lower_method, ""},
    Builtin{"capitalize", capitalize_method, ""},
    Builtin{"title", title_method, ""},
    Builtin{"swapcase", swapcase_method, ""},
    Builtin{"isalpha", isalpha_method, ""},
    Builtin{"isalnum", isalnum_method, ""},
    Builtin{"isdigit", isdigit_method, ""},
    Builtin{"isdecimal", isdigit_method, ""},
    Builtin{"isnumeric", isdigit_method, ""},
    Builtin{"isspace", isspace_method, ""},
    Builtin{"isascii", isascii_method, ""},
    Builtin{"islower", islower_method, ""},
    Builtin{"isupper", isupper_method, ""},
    Builtin{"istitle", istitle_method, ""},
    Builtin{"isidentifier", isidentifier_method, ""},
};

}  // namespace

BuiltinTable string_methods() { return {kMethods.data(), kMethods.size()}; }

}  // namespace accelerate::text::jinja
