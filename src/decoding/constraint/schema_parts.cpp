#include "decoding/constraint/schema_parts.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace accelerate::decoding::constraint {
namespace {

struct KeywordType {
  std::string_view keyword;
  std::uint8_t type;
};
// What restricts values and is done, and of which type it speaks.
constexpr std::array<KeywordType, 25> kRestricting{{{"type", 0},
                                                    {"enum", 0},
                                                    {"const", 0},
                                                    {"anyOf", 0},
                                                    {"oneOf", 0},
                                                    {"properties", kObject},
                                                    {"required", kObject},
                                                    {"additionalProperties", kObject},
                                                    {"unevaluatedProperties", kObject},
                                                    {"items", kArray},
                                                    {"prefixItems", kArray},
                                                    {"additionalItems", kArray},
                                                    {"minItems", kArray},
                                                    {"maxItems", kArray},
                                                    {"minLength", kString},
                                                    {"maxLength", kString},
                                                    {"pattern", kString},
                                                    {"format", kString},
                                                    {"minimum", kNumber | kInteger},
                                                    {"maximum", kNumber | kInteger},
                                                    {"exclusiveMinimum", kNumber | kInteger},
                                                    {"exclusiveMaximum", kNumber | kInteger},
                                                    {"multipleOf", kNumber | kInteger},
                                                    {"uniqueItems", kArray},
                                                    {"minProperties", kObject}}};
constexpr std::array<std::string_view, 16> kUnsupported{"not",
                                                        "if",
                                                        "dependentSchemas",
                                                        "dependentRequired",
                                                        "dependencies",
                                                        "patternProperties",
                                                        "propertyNames",
                                                        "contains",
                                                        "uniqueItems",
                                                        "multipleOf",
                                                        "minProperties",
                                                        "maxProperties",
                                                        "$dynamicRef",
                                                        "$recursiveRef",
                                                        "unevaluatedItems",
                                                        "unevaluatedProperties"};

bool restricts(const SchemaPart& part) {
  return std::ranges::any_of(kRestricting,
                             [&](const KeywordType& each) {
                               if (each.keyword == "anyOf" && part.any_chosen) return false;
                               if (each.keyword == "oneOf" && part.one_chosen) return false;
                               return part.find(each.keyword) != nullptr;
                             }) ||
         std::ranges::any_of(kUnsupported, [&](std::string_view each) { return part.find(each) != nullptr; });
}

std::string step_text(std::string_view step) {
  std::string out = "/";
  for (const char c : step) out += c == '~' ? std::string("~0") : c == '/' ? std::string("~1") : std::string(1, c);
  return out;
}

const Json* member_of(const Json& json, std::string_view step) {
  if (json.is_object()) return json.find(step);
  if (!json.is_array() || step.empty() || step.size() > 9) return nullptr;
  std::size_t index = 0;
  for (const char c : step) {
    if (c < '0' || c > '9') return nullptr;
    index = index * 10 + static_cast<std::size_t>(c - '0');
  }
  return index < json.items().size() ? &json.items()[index] : nullptr;
}

// A step of a pointer in a URI fragment: %25, ~1 and ~0 stand for %, / and ~.
std::string read_step(std::string_view step) {
  std::string percent, out;
  for (std::size_t i = 0; i < step.size(); ++i) {
    const auto digit = [&](std::size_t at) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      return kDigits.find(static_cast<char>(step[at] >= 'A' && step[at] <= 'F' ? step[at] + 32 : step[at]));
    };
    const bool escape = step[i] == '%' && i + 2 < step.size() && digit(i + 1) < 16 && digit(i + 2) < 16;
    percent += escape ? static_cast<char>(digit(i + 1) * 16 + digit(i + 2)) : step[i];
    if (escape) i += 2;
  }
  for (std::size_t i = 0; i < percent.size(); ++i) {
    const bool escape = percent[i] == '~' && i + 1 < percent.size() && (percent[i + 1] == '0' || percent[i + 1] == '1');
    out += !escape ? percent[i] : percent[i + 1] == '0' ? '~' : '/';
    if (escape) ++i;
  }
  return out;
}

std::uint8_t type_named(const Json& name, const std::string& pointer) {
  constexpr std::array<std::pair<std::string_view, std::uint8_t>, 7> kTypes{{{"null", kNull},
                                                                             {"boolean", kBoolean},
                                                                             {"integer", kInteger},
                                                                             {"number", kNumber | kInteger},
                                                                             {"string", kString},
                                                                             {"array", kArray},
                                                                             {"object", kObject}}};
  if (name.is_string()) {
    for (const auto& [known, bits] : kTypes) {
      if (known == name.as_string()) return bits;
    }
  }
  wrong_schema("is " + name.dump().substr(0, 40) + ", expected a type", pointer);
}

template <typename Better>
std::optional<Bound> best_count(const Schemas& schemas, std::string_view keyword, const Better& better) {
  std::optional<Bound> best;
  for (const SchemaPart& part : schemas) {
    const Json* value = part.find(keyword);
    if (value == nullptr) continue;
    const std::string pointer = part.below(*value, keyword).pointer;
    const double number = value->is_number() ? value->as_double() : -1;
    if (number < 0 || number != std::floor(number)) {
      wrong_schema("is " + value->dump().substr(0, 40) + ", expected a count", pointer);
    }
    const auto count = static_cast<std::int64_t>(std::min(number, 1e15));
    if (!best || better(count, best->value)) best = Bound{count, pointer};
  }
  return best;
}

}  // namespace

// Each property keeps its pointer: with a long name above thousands of them they would fill the memory.
SchemaPart SchemaPart::below(const Json& value, std::string_view step) const {
  constexpr std::size_t kLongestPointer = 4096;
  if (pointer.size() + step.size() >= kLongestPointer) {
    wrong_schema("holds a name, or names, of more than " + std::to_string(kLongestPointer) + " bytes together",
                 pointer);
  }
  return {&value, pointer + step_text(step)};
}

Unmet::Unmet(std::string message, const std::string& pointer)
    : Error(ErrorKind::invalid_input, std::move(message), "json_schema#" + pointer) {}

void wrong_schema(std::string message, const std::string& pointer, ErrorKind kind) {
  throw Error(kind, std::move(message), "json_schema#" + pointer);
}

SchemaDocument::SchemaDocument(Json json) : json_(std::move(json)) {}

SchemaPart SchemaDocument::at(const std::string& reference, const std::string& pointer) const {
  if (reference.empty() || reference[0] != '#' || (reference.size() > 1 && reference[1] != '/')) {
    wrong_schema("refers to \"" + reference.substr(0, 80) + "\", expected a place in this document (\"#/$defs/name\")",
                 pointer, ErrorKind::unsupported);
  }
  SchemaPart part = root();
  for (std::size_t at = 1; at < reference.size();) {
    const std::size_t end = std::min(reference.find('/', at + 1), reference.size());
    const std::string step = read_step(std::string_view(reference).substr(at + 1, end - at - 1));
    const Json* next = member_of(*part.json, step);
    if (next == nullptr) wrong_schema("refers to \"" + reference.substr(0, 80) + "\", which is not there", pointer);
    part = part.below(*next, step);
    at = end;
  }
  return part;
}

std::optional<SchemaPart> SchemaDocument::referred_by(const SchemaPart& part) const {
  const Json* reference = part.find("$ref");
  if (reference == nullptr) return std::nullopt;
  const std::string pointer = part.below(*reference, "$ref").pointer;
  if (!reference->is_string()) wrong_schema("is no text", pointer);
  return at(reference->as_string(), pointer);
}

// What a value must meet, or may have to, where it meets the part.
Schemas SchemaDocument::in_place_of(const SchemaPart& part) const {
  Schemas found;
  if (!part.json->is_object()) return found;
  if (auto referred = referred_by(part)) found.push_back(*std::move(referred));
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    const Json* all = part.find(keyword);
    if (all == nullptr || !all->is_array()) continue;
    const SchemaPart list = part.below(*all, keyword);
    for (std::size_t i = 0; i < all->items().size(); ++i) {
      found.push_back(list.below(all->items()[i], std::to_string(i)));
    }
  }
  return found;
}

// What stands in place of itself means nothing, and following it would have no end.
void SchemaDocument::refuse_circles(const SchemaPart& part, std::vector<const Json*>& open) {
  if (without_circles_.contains(part.json)) return;
  if (std::ranges::find(open, part.json) != open.end())
    wrong_schema("refers to itself with nothing in between", part.pointer);
  if (open.size() == kMostParts) wrong_schema("holds together too many schemas", part.pointer);
  open.push_back(part.json);
  for (const SchemaPart& next : in_place_of(part)) refuse_circles(next, open);
  open.pop_back();
  without_circles_.insert(part.json);
}

void SchemaDocument::reach(SchemaPart part, Flat& flat) const {
  if (!flat.seen.insert(part.json).second) return;
  if (flat.seen.size() > kMostParts) wrong_schema("holds together too many schemas", part.pointer);
  flatten(std::move(part), flat);
}

void SchemaDocument::flatten(SchemaPart part, Flat& flat) const {
  if (part.json->is_bool()) {
    if (!part.json->as_bool()) throw Unmet("is false: no value meets it", part.pointer);
    return;
  }
  if (!part.json->is_object())
    wrong_schema("found " + std::string(part.json->kind_name()) + ", expected a schema", part.pointer);
  const bool follow = !std::exchange(part.followed, true);
  if (restricts(part)) flat.schemas.push_back(part);
  if (!follow) return;
  if (auto referred = referred_by(part)) {
    flat.referred = true;
    reach(*std::move(referred), flat);
  }
  if (const Json* all = part.find("allOf")) {
    const SchemaPart list = part.below(*all, "allOf");
    if (!all->is_array()) wrong_schema("is no array", list.pointer);
    for (std::size_t i = 0; i < all->items().size(); ++i) {
      reach(list.below(all->items()[i], std::to_string(i)), flat);
    }
  }
}

// The parts that are told come first: what leads to one of them finds it there, with the branch that was chosen for it.
SchemaDocument::Flat SchemaDocument::flat(const Schemas& schemas) {
  std::vector<const Json*> open;
  for (const SchemaPart& part : schemas) refuse_circles(part, open);
  Flat flat;
  Schemas told;
  for (const SchemaPart& part : schemas) {
    if (flat.seen.insert(part.json).second) told.push_back(part);
  }
  for (SchemaPart& part : told) flatten(std::move(part), flat);
  return flat;
}

std::uint8_t type_of(const Json& value) {
  if (value.is_null()) return kNull;
  if (value.is_bool()) return kBoolean;
  if (value.is_string()) return kString;
  if (value.is_array()) return kArray;
  if (value.is_object()) return kObject;
  return value.is_int() || value.as_double() == std::floor(value.as_double()) ? kInteger : kNumber;
}

std::uint8_t types_of(const Schemas& schemas) {
  std::uint8_t types = kAnyType, told = 0;
  bool named = false;
  for (const SchemaPart& part : schemas) {
    for (const KeywordType& each : kRestricting) {
      if (part.find(each.keyword) != nullptr) told |= each.type;
    }
    const Json* type = part.find("type");
    if (type == nullptr) continue;
    const SchemaPart place = part.below(*type, "type");
    std::uint8_t allowed = 0;
    if (type->is_array()) {
      for (const Json& one : type->items()) allowed |= type_named(one, place.pointer);
    } else {
      allowed = type_named(*type, place.pointer);
    }
    types &= allowed;
    named = true;
    if (types == 0) throw Unmet("leaves no type that a value could be of", place.pointer);
  }
  return named || told == 0 ? types : told;
}

void check_keywords(const SchemaPart& part) {
  for (const std::string_view keyword : kUnsupported) {
    const Json* value = part.find(keyword);
    if (value == nullptr) continue;
    const bool is_false = value->is_bool() && !value->as_bool();
    const bool is_empty =
        value->is_object() && value->members().empty() && keyword != "not" && keyword != "if" && keyword != "contains";
    const bool is_one =
        value->is_number() && value->as_double() == 1 && keyword == "multipleOf" && types_of({part}) == kInteger;
    if (is_empty || is_one || (is_false && (keyword == "uniqueItems" || keyword == "unevaluatedProperties"))) continue;
    wrong_schema("is not supported", part.below(*value, keyword).pointer, ErrorKind::unsupported);
  }
}

std::optional<Bound> largest_count(const Schemas& schemas, std::string_view keyword) {
  return best_count(schemas, keyword, [](std::int64_t a, std::int64_t b) { return a > b; });
}
std::optional<Bound> smallest_count(const Schemas& schemas, std::string_view keyword) {
  return best_count(schemas, keyword, [](std::int64_t a, std::int64_t b) { return a < b; });
}

}  // namespace accelerate::decoding::constraint
