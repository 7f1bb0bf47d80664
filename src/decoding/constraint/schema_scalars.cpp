#include "decoding/constraint/schema_scalars.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <map>

#include "decoding/constraint/expression.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr std::array<std::string_view, 20> kBesideEnum{"properties",
                                                       "required",
                                                       "additionalProperties",
                                                       "items",
                                                       "prefixItems",
                                                       "minItems",
                                                       "maxItems",
                                                       "minLength",
                                                       "maxLength",
                                                       "pattern",
                                                       "minimum",
                                                       "maximum",
                                                       "exclusiveMinimum",
                                                       "exclusiveMaximum",
                                                       "format",
                                                       "anyOf",
                                                       "oneOf",
                                                       "multipleOf",
                                                       "uniqueItems",
                                                       "minProperties"};

using Values = std::map<std::string, const Json*>;  // by their texts

Values listed(const SchemaPart& place, bool many) {
  Values values;
  if (many && !place.json->is_array()) wrong_schema("is no array", place.pointer);
  const std::span<const Json> all = many ? std::span<const Json>(place.json->items()) : std::span(place.json, 1);
  for (const Json& one : all) values.emplace(one.dump(), &one);
  return values;
}

// Where an expression may begin or end within the string.
StateId anything(AutomatonBuilder& builder, StateId to) {
  const StateId loop = builder.state();
  builder.epsilon(loop, json_character(builder, CodePoints::all(), loop));
  builder.epsilon(loop, to);
  return loop;
}

// `whole`: the expression is all of the string, as a format is; a pattern is somewhere in it.
StateId matching(AutomatonBuilder& builder, std::string_view expression, const std::string& pointer, bool whole,
                 StateId to) {
  const StateId from = builder.state();
  for (const Branch& branch : parse_expression(expression, "json_schema#" + pointer)) {
    const StateId end = whole || branch.to_end ? to : anything(builder, to);
    const StateId begin = emit(builder, branch.expression, end, Spelling::json);
    builder.epsilon(from, whole || branch.from_begin ? begin : anything(builder, begin));
  }
  return from;
}

struct Bounds {
  IntegerRange range;
  bool above = false, below = false;  // an end is not in the range
  std::string pointer;                // of the last that narrowed it
};

// A bound as a whole number: for integers the nearest one within it. None where it is further out than what is written.
std::optional<std::int64_t> whole_bound(const SchemaPart& place, bool integer, bool is_least) {
  if (!place.json->is_number()) wrong_schema("is no number", place.pointer, ErrorKind::invalid_input);
  if (place.json->is_int()) return place.json->as_int();
  const double value = place.json->as_double();
  const double nearest = is_least ? std::ceil(value) : std::floor(value);
  if (nearest != value && !integer) {
    wrong_schema("is no whole number, which is not supported for numbers with fractions", place.pointer,
                 ErrorKind::unsupported);
  }
  constexpr double kFar = 9e18;
  if (is_least ? nearest < -kFar : nearest > kFar) return std::nullopt;
  if (std::abs(nearest) > kFar) throw Unmet("is beyond the numbers that are written", place.pointer);
  return static_cast<std::int64_t>(nearest);
}

// Of an integer, one beyond an exclusive bound; a bound with a fraction was rounded to within it already.
std::int64_t moved(const SchemaPart& place, std::int64_t value, int by) {
  const bool had_fraction = !place.json->is_int() && place.json->as_double() != static_cast<double>(value);
  const bool at_end =
      by > 0 ? value == std::numeric_limits<std::int64_t>::max() : value == std::numeric_limits<std::int64_t>::min();
  if (at_end) throw Unmet("is beyond the numbers that are written", place.pointer);
  return had_fraction ? value : value + by;
}

void narrow(Bounds& bounds, const SchemaPart& place, bool integer, bool is_least, bool exclusive) {
  std::optional<std::int64_t> value = whole_bound(place, integer, is_least);
  if (!value) return;
  if (exclusive && integer) value = moved(place, *value, is_least ? 1 : -1);
  std::optional<std::int64_t>& kept = is_least ? bounds.range.least : bounds.range.most;
  bool& open = is_least ? bounds.above : bounds.below;
  const bool excludes = exclusive && !integer;
  if (kept && *kept == *value) {
    open |= excludes;
  } else if (!kept || (is_least ? *value > *kept : *value < *kept)) {
    kept = value;
    open = excludes;
  } else {
    return;
  }
  bounds.pointer = place.pointer;
}

}  // namespace

StateId enumeration_states(AutomatonBuilder& builder, JsonText& text, const Schemas& schemas, StateId to) {
  std::optional<Values> shared;
  std::string pointer;
  for (const SchemaPart& part : schemas) {
    for (const std::string_view keyword : {"enum", "const"}) {
      const Json* found = part.find(keyword);
      if (found == nullptr) continue;
      const SchemaPart place = part.below(*found, keyword);
      pointer = place.pointer;
      const Values values = listed(place, keyword == "enum");
      if (!shared) shared = values;
      std::erase_if(*shared, [&](const auto& one) { return !values.contains(one.first); });
    }
    for (const std::string_view keyword : kBesideEnum) {
      if ((keyword == "anyOf" && part.any_chosen) || (keyword == "oneOf" && part.one_chosen)) continue;
      if (const Json* beside = part.find(keyword)) {
        wrong_schema("is not supported beside enum and const", part.below(*beside, keyword).pointer,
                     ErrorKind::unsupported);
      }
    }
  }
  bool named = false;
  for (const SchemaPart& part : schemas) named |= part.find("type") != nullptr;
  const std::uint8_t types = named ? types_of(schemas) : std::uint8_t{kAnyType};
  std::vector<std::string> words;
  const StateId from = builder.state();
  std::size_t met = 0;
  for (const auto& [word, json] : *shared) {
    if ((type_of(*json) & types) == 0) continue;
    ++met;
    if (json->is_array() || json->is_object()) {
      builder.epsilon(from, text.literal(*json, to));
    } else {
      words.push_back(word);
    }
  }
  if (met == 0) throw Unmet("is empty, or has no value that is asked for elsewhere too", pointer);
  if (!words.empty()) builder.epsilon(from, builder.words(std::move(words), to));
  return from;
}

StateId string_states(AutomatonBuilder& builder, JsonText& text, const Schemas& schemas, StateId to) {
  const auto least = largest_count(schemas, "minLength"), most = smallest_count(schemas, "maxLength");
  if (least && most && least->value > most->value) {
    throw Unmet("is " + std::to_string(most->value) + ", below the least length " + std::to_string(least->value),
                most->pointer);
  }
  const bool counted = most || (least && least->value > 0);
  std::optional<SchemaPart> pattern;
  bool is_format = false;
  for (const SchemaPart& part : schemas) {
    for (const std::string_view keyword : {"pattern", "format"}) {
      const Json* found = part.find(keyword);
      if (found == nullptr) continue;
      const SchemaPart place = part.below(*found, keyword);
      if (!found->is_string()) wrong_schema("is no text", place.pointer);
      if (pattern || counted) {
        wrong_schema("is not supported beside another pattern, a format or bounds of the length", place.pointer,
                     ErrorKind::unsupported);
      }
      pattern = place;
      is_format = keyword == "format";
    }
  }
  if (pattern) {
    const std::string& said = pattern->json->as_string();
    const std::string_view expression = is_format ? expression_of_format(said, pattern->pointer) : said;
    return builder.bytes("\"", matching(builder, expression, pattern->pointer, is_format, builder.bytes("\"", to)));
  }
  if (!counted) return text.string(to);
  constexpr std::int64_t kMost = 100'000;
  for (const auto& bound : {least, most}) {
    if (!bound || bound->value <= kMost) continue;
    wrong_schema("is " + std::to_string(bound->value) + ", more characters than the " + std::to_string(kMost) +
                     " that are counted",
                 bound->pointer, ErrorKind::unsupported);
  }
  return json_string(builder, least ? static_cast<std::uint32_t>(least->value) : 0,
                     most ? std::optional(static_cast<std::uint32_t>(most->value)) : std::nullopt, to);
}

StateId number_states(AutomatonBuilder& builder, const Schemas& schemas, bool integer, StateId to) {
  struct Keyword {
    std::string_view name;
    bool is_least, exclusive;
  };
  constexpr std::array<Keyword, 4> kKeywords{{{"minimum", true, false},
                                              {"exclusiveMinimum", true, true},
                                              {"maximum", false, false},
                                              {"exclusiveMaximum", false, true}}};
  Bounds bounds;
  for (const SchemaPart& part : schemas) {
    for (const Keyword& keyword : kKeywords) {
      const Json* found = part.find(keyword.name);
      if (found != nullptr)
        narrow(bounds, part.below(*found, keyword.name), integer, keyword.is_least, keyword.exclusive);
    }
  }
  const auto& [least, most] = bounds.range;
  if (least && most && (*least > *most || (*least == *most && (bounds.above || bounds.below)))) {
    throw Unmet("leaves no number: at least " + std::to_string(*least) + " and at most " + std::to_string(*most),
                bounds.pointer);
  }
  return integer ? json_integer(builder, bounds.range, to)
                 : json_number(builder, bounds.range, bounds.above, bounds.below, to);
}

}  // namespace accelerate::decoding::constraint
