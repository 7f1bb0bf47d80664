#include "decoding/constraint/json_text.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr int kDeepestIndent = 24;

CodePoints must_be_escaped() { return CodePoints(0, 0x1f).add('"', '"').add('\\', '\\'); }

std::string escaped(char32_t c) {
  switch (c) {
    case '"': return "\\\"";
    case '\\': return "\\\\";
    case '\b': return "\\b";
    case '\f': return "\\f";
    case '\n': return "\\n";
    case '\r': return "\\r";
    case '\t': return "\\t";
    default: break;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  return {'\\', 'u', '0', '0', kHex[c >> 4], kHex[c & 15]};
}

StateId hex(AutomatonBuilder& builder, StateId to, int digits) {
  for (int i = 0; i < digits; ++i) {
    const StateId from = builder.state();
    builder.edge(from, '0', '9', to), builder.edge(from, 'A', 'F', to), builder.edge(from, 'a', 'f', to);
    to = from;
  }
  return to;
}

void either_case(AutomatonBuilder& builder, StateId from, char first, char last, StateId to) {
  for (const int to_upper : {0, 32}) {
    builder.edge(from, static_cast<std::uint8_t>(first - to_upper), static_cast<std::uint8_t>(last - to_upper), to);
  }
}

// Behind \u: four digits, or what is a pair of surrogates.
StateId unicode_escape(AutomatonBuilder& builder, StateId to) {
  const StateId three = hex(builder, to, 3), low_half = builder.state(), from = builder.state();
  either_case(builder, low_half, 'c', 'f', hex(builder, to, 2));
  StateId second = builder.state();
  either_case(builder, second, 'd', 'd', low_half);
  second = builder.bytes("\\u", second);
  const StateId behind_d = builder.state();
  builder.edge(behind_d, '0', '7', hex(builder, to, 2));
  const StateId high_half = hex(builder, second, 2);
  builder.edge(behind_d, '8', '9', high_half), either_case(builder, behind_d, 'a', 'b', high_half);
  builder.edge(from, '0', '9', three), either_case(builder, from, 'a', 'c', three);
  either_case(builder, from, 'd', 'd', behind_d), either_case(builder, from, 'e', 'f', three);
  return from;
}

// One character of any string; with the escapes that a count can do without.
StateId string_character(AutomatonBuilder& builder, StateId to, bool all_escapes) {
  const StateId from = builder.one_of(must_be_escaped().complement(), to), behind = builder.state();
  builder.edge(from, '\\', '\\', behind);
  for (const char c : std::string_view("\"\\/bfnrt")) {
    builder.edge(behind, static_cast<std::uint8_t>(c), static_cast<std::uint8_t>(c), to);
  }
  if (all_escapes) builder.edge(behind, 'u', 'u', unicode_escape(builder, to));
  return from;
}

}  // namespace

StateId json_character(AutomatonBuilder& builder, const CodePoints& set, StateId to) {
  const CodePoints special = must_be_escaped(), plain = set.without(special);
  std::vector<std::string> escapes;
  for (const CodePointRange& range : special.ranges()) {
    for (char32_t c = range.first; c <= range.last; ++c) {
      if (set.contains(c)) escapes.push_back(escaped(c));
    }
  }
  if (escapes.empty()) return builder.one_of(plain, to);
  return builder.either({builder.one_of(plain, to), builder.words(std::move(escapes), to)});
}

StateId json_string(AutomatonBuilder& builder, std::uint32_t least, std::optional<std::uint32_t> most, StateId to) {
  const StateId close = builder.bytes("\"", to);
  StateId at = close;
  if (!most) {
    at = builder.state();
    builder.epsilon(at, string_character(builder, at, false));
    builder.epsilon(at, close);
  }
  for (std::uint32_t i = most.value_or(least); i-- > 0;) {
    at = string_character(builder, at, false);
    if (most && i >= least) builder.epsilon(at, close);
  }
  return builder.bytes("\"", at);
}

StateId JsonText::gap(StateId to) {
  StateId indent = to;
  for (int i = 0; i < kDeepestIndent; ++i) {
    const StateId from = builder_.either({to});
    builder_.edge(from, ' ', ' ', indent);
    builder_.edge(from, '\t', '\t', indent);
    indent = from;
  }
  const StateId from = builder_.either({to});
  builder_.edge(from, ' ', ' ', to);
  builder_.edge(from, '\n', '\n', indent);
  builder_.edge(from, '\r', '\r', builder_.bytes("\n", indent));
  return from;
}

StateId JsonText::colon(StateId to) { return builder_.bytes(":", builder_.either({builder_.bytes(" ", to), to})); }

// The opening quote stands before the rule, so that the states within strings are the same ones everywhere.
StateId JsonText::string(StateId to) {
  if (!string_) {
    string_ = builder_.rule("string");
    const StateId at = builder_.state();
    builder_.epsilon(at, string_character(builder_, at, true));
    builder_.edge(at, '"', '"', builder_.end_of(*string_));
    builder_.begin(*string_, at);
  }
  return builder_.bytes("\"", builder_.call(*string_, to));
}

StateId JsonText::other_name(std::vector<std::string> names, StateId to) {
  if (names.empty()) return string(to);
  std::ranges::sort(names);
  names.erase(std::unique(names.begin(), names.end()), names.end());
  const StateId close = builder_.bytes("\"", to), rest = builder_.state();
  builder_.epsilon(rest, builder_.one_of(must_be_escaped().complement(), rest));
  builder_.epsilon(rest, close);
  return builder_.bytes("\"", name_unlike(names, 0, rest, close));
}

// Names in order, that share their first `prefix` bytes: all texts behind it but theirs.
StateId JsonText::name_unlike(std::span<const std::string> names, std::size_t prefix, StateId rest, StateId to) {
  const StateId from = builder_.state();
  std::size_t at = 0;
  if (names.front().size() == prefix) {
    ++at;
  } else {
    builder_.epsilon(from, to);
  }
  CodePoints followed = must_be_escaped();
  while (at < names.size()) {
    const text::Decoded next = text::decode_at(names[at], prefix);
    std::size_t end = at + 1;
    while (end < names.size() && names[end].compare(prefix, next.length, names[at], prefix, next.length) == 0) ++end;
    // A name with what must be escaped is never spelled without.
    if (!must_be_escaped().contains(next.value)) {
      const StateId deeper = name_unlike(names.subspan(at, end - at), prefix + next.length, rest, to);
      builder_.epsilon(from, builder_.one_of({next.value, next.value}, deeper));
    }
    followed.add(next.value, next.value);
    at = end;
  }
  builder_.epsilon(from, builder_.one_of(followed.complement(), rest));
  return from;
}

// Behind the opening bracket: items with commas between them, or none. `item` leads to `behind_item`.
StateId JsonText::list(StateId item, StateId behind_item, char close, StateId to) {
  const StateId end = builder_.bytes(std::string_view(&close, 1), to);
  builder_.epsilon(behind_item, builder_.bytes(",", gap(item)));
  builder_.epsilon(behind_item, gap(end));
  return builder_.either({gap(item), end});
}

StateId JsonText::any_object(StateId to) {
  const StateId behind = builder_.state();
  return builder_.bytes("{", list(string(colon(any_value(behind))), behind, '}', to));
}

StateId JsonText::any_array(StateId to) {
  const StateId behind = builder_.state();
  return builder_.bytes("[", list(any_value(behind), behind, ']', to));
}

StateId JsonText::any_value(StateId to) {
  if (!value_) {
    value_ = builder_.rule("any value");
    const StateId end = builder_.end_of(*value_);
    builder_.begin(*value_, builder_.either({any_object(end), any_array(end), string(end),
                                             json_number(builder_, {}, false, false, end),
                                             builder_.words({"true", "false", "null"}, end)}));
  }
  return builder_.call(*value_, to);
}

StateId JsonText::literal(const Json& value, StateId to) {
  if (value.is_array()) {
    StateId at = builder_.bytes("]", to);
    if (value.items().empty()) return builder_.bytes("[", at);
    at = gap(at);
    for (std::size_t i = value.items().size(); i-- > 0;) {
      at = gap(literal(value.items()[i], at));
      at = builder_.bytes(i == 0 ? "[" : ",", at);
    }
    return at;
  }
  if (value.is_object()) {
    StateId at = builder_.bytes("}", to);
    if (value.members().empty()) return builder_.bytes("{", at);
    at = gap(at);
    for (std::size_t i = value.members().size(); i-- > 0;) {
      const auto& [name, member] = value.members()[i];
      at = gap(builder_.bytes(Json(name).dump(), colon(literal(member, at))));
      at = builder_.bytes(i == 0 ? "{" : ",", at);
    }
    return at;
  }
  return builder_.bytes(value.dump(), to);
}

}  // namespace accelerate::decoding::constraint
