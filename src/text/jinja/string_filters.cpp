// Filters whose result is text.
#include <algorithm>
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/format.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

Value upper(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return to_upper(str(self, interpreter.budget()));
}

Value lower(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return to_lower(str(self, interpreter.budget()));
}

Value capitalize(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return capitalized(str(self, interpreter.budget()));
}

// Words begin behind white space, hyphens and opening brackets.
Value title(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  const std::string text = str(self, interpreter.budget());
  std::string out;
  bool begins = true;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    const std::string_view character = std::string_view(text).substr(at, c.length);
    out += begins ? to_upper(character) : to_lower(character);
    begins = is_space(c.value) || std::u32string_view(U"-({[<").find(c.value) != std::u32string_view::npos;
    at += c.length;
  }
  return out;
}

Value trim(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::string text = str(self, budget);
  const bool spaces = given[0] == nullptr || given[0]->is(Kind::none);
  const std::string these = given.text_or(0, "", budget);
  return stripped(text, Ends::both, spaces ? std::nullopt : std::optional<std::string_view>(these));
}

Value replace_filter(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::string text = str(self, budget), old = given.text_or(0, "", budget), with = given.text_or(1, "", budget);
  const bool all = given[2] == nullptr || given[2]->is(Kind::none);
  budget.charge_bytes(text.size() + (old.empty() ? text.size() + 1 : text.size() / old.size()) * with.size());
  return replaced(text, old, with, all ? -1 : given.whole_or(2, -1));
}

Value indent(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  if (self.is(Kind::undefined)) fail_undefined(self);
  if (!self.is(Kind::string)) fail("indent takes text, not " + std::string(self.type_name()));
  const std::string text = self.string() + "\n";
  const bool by_text = given[0] != nullptr && given[0]->is(Kind::string);
  const std::int64_t width = by_text ? 0 : std::clamp<std::int64_t>(given.whole_or(0, 4), 0, 10000);
  const std::string by = by_text ? given[0]->string() : std::string(static_cast<std::size_t>(width), ' ');
  const bool first = given.truth_or(1, false), blank = given.truth_or(2, false);
  const std::vector<std::string_view> lines = lines_of(text);
  budget.charge_bytes(text.size() + lines.size() * by.size());
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    if (i == 0 ? first : blank || !lines[i].empty()) out += by;
    out += lines[i];
  }
  return out;
}

Value center(Interpreter& interpreter, const Value& self, const Given& given) {
  Arguments one{.positional = {str(self, interpreter.budget())}, .named = {}};
  const std::int64_t width = std::clamp<std::int64_t>(given.whole_or(0, 80), 0, 1000);
  // str.center puts the odd space of an odd width to the left, where {:^} puts it to the right.
  const std::string& text = one.positional[0].string();
  const auto count = static_cast<std::int64_t>(character_count(text));
  if (count >= width) return text;
  const std::int64_t room = width - count, left = room / 2 + (room & width & 1);
  return std::string(static_cast<std::size_t>(left), ' ') + text +
         std::string(static_cast<std::size_t>(room - left), ' ');
}

Value format_filter(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const Arguments& all = given.all();
  if (all.named.empty()) {
    return percent_format(str(self, budget), make_sequence(all.positional, Sequence::Type::tuple), budget);
  }
  if (!all.positional.empty()) fail("can't handle positional and keyword arguments at the same time");
  std::vector<std::pair<Value, Value>> members;
  for (const auto& argument : all.named) put(members, argument.first, argument.second, budget);
  return percent_format(str(self, budget), make_dict(std::move(members)), budget);
}

Value string(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return self.is(Kind::string) ? self : Value(str(self, interpreter.budget()));
}

Value markup(std::string text) { return Markup{std::make_shared<const std::string>(std::move(text))}; }

Value safe(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return markup(str(self, interpreter.budget()));
}

Value forceescape(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge_bytes(self.is(Kind::string) ? 6 * self.string().size() : 0);
  return markup(html_escaped(str(self, interpreter.budget())));
}

Value escape(Interpreter& interpreter, const Value& self, const Given& given) {
  return self.is_markup() ? self : forceescape(interpreter, self, given);
}

Value truncate(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::string end = given.text_or(2, "...", budget);
  const std::int64_t length = given.whole_or(0, 255), leeway = given.whole_or(3, 5);
  const auto end_length = static_cast<std::int64_t>(character_count(end));
  if (length < end_length) fail("expected length >= " + std::to_string(end_length) + ", got " + std::to_string(length));
  if (leeway < 0) fail("expected leeway >= 0, got " + std::to_string(leeway));
  const auto count = static_cast<std::int64_t>(length_of(self));
  if (count <= length || count - length <= leeway) return self;
  if (!self.is(Kind::string)) fail("truncate takes text, not " + std::string(self.type_name()));
  const std::string& text = self.string();
  budget.charge_bytes(text.size());
  std::string kept = text.substr(0, byte_of(text, static_cast<std::size_t>(length - end_length)));
  if (!given.truth_or(1, false)) kept = kept.substr(0, kept.rfind(' '));
  return kept + end;
}

Value wordcount(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  const std::string text = str(self, interpreter.budget());
  std::size_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const Decoded c = decode_at(text, at);
    const bool word = c.value == '_' || Unicode::get().is(c.value, kWord);
    words += word && !inside ? 1 : 0;
    inside = word;
    at += c.length;
  }
  return words;
}

// urllib.parse.quote with "/" left as it is.
Value urlencode(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::dict) || self.is(Kind::sequence)) {
    fail("urlencode takes text here, not " + std::string(self.type_name()), ErrorKind::unsupported);
  }
  const std::string text = str(self, interpreter.budget());
  interpreter.budget().charge_bytes(3 * text.size());
  constexpr std::string_view kSafe = "_.-~/";
  std::string out;
  for (const char c : text) {
    const bool safe = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                      kSafe.find(c) != std::string_view::npos;
    if (safe) {
      out += c;
    } else {
      constexpr char kHex[] = "0123456789ABCDEF";
      const auto byte = static_cast<unsigned char>(c);
      ((out += '%') += kHex[byte >> 4]) += kHex[byte & 15];
    }
  }
  return out;
}

JsonStyle json_style(const Given& given, Budget& budget) {
  JsonStyle style{.ascii = given.truth_or(0, false), .indent = std::nullopt, .sort_keys = given.truth_or(3, false)};
  if (given[1] != nullptr && !given[1]->is(Kind::none)) {
    const bool text = given[1]->is(Kind::string);
    const std::int64_t width = text ? 0 : std::clamp<std::int64_t>(given.whole_or(1, 0), 0, 1000);
    style.indent = text ? given[1]->string() : std::string(static_cast<std::size_t>(width), ' ');
    style.item_separator = ",";
  }
  if (given[2] != nullptr && !given[2]->is(Kind::none)) {
    const std::vector<Value> two = iterate(*given[2], budget);
    if (two.size() != 2 || !two[0].is(Kind::string) || !two[1].is(Kind::string)) fail("separators are two strings");
    style.item_separator = two[0].string();
    style.key_separator = two[1].string();
  }
  return style;
}

// As Transformers has it: json.dumps without HTML's escapes.
Value tojson(Interpreter& interpreter, const Value& self, const Given& given) {
  return json_text(self, json_style(given, interpreter.budget()), interpreter.budget());
}

constexpr std::array kStringFilters = {
    Builtin{"upper", upper, ""},
    Builtin{"lower", lower, ""},
    Builtin{"capitalize", capitalize, ""},
    Builtin{"title", title, ""},
    Builtin{"trim", trim, "chars="},
    Builtin{"replace", replace_filter, "old new count="},
    Builtin{"indent", indent, "width= first= blank="},
    Builtin{"center", center, "width="},
    Builtin{"format", format_filter, "*"},
    Builtin{"string", string, ""},
    Builtin{"safe", safe, ""},
    Builtin{"e", escape, ""},
    Builtin{"escape", escape, ""},
    Builtin{"forceescape", forceescape, ""},
    Builtin{"truncate", truncate, "length= killwords= end= leeway="},
    Builtin{"wordcount", wordcount, ""},
    Builtin{"urlencode", urlencode, ""},
    Builtin{"tojson", tojson, "ensure_ascii= indent= separators= sort_keys="},
};

}  // namespace

BuiltinTable string_filters() { return {kStringFilters.data(), kStringFilters.size()}; }

}  // namespace accelerate::text::jinja
