#include "text/jinja/value.hpp"

#include <algorithm>
#include <unordered_map>

#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

constexpr std::uint32_t kMostDepth = 500;

std::vector<Value> characters(std::string_view text) {
  std::vector<Value> all;
  for (std::size_t at = 0, length = 0; at < text.size(); at += length) {
    length = utf8_length(static_cast<unsigned char>(text[at]));
    all.emplace_back(text.substr(at, length));
  }
  return all;
}

std::vector<Value> rest_of(const Sequence& sequence) {
  if (sequence.type != Sequence::Type::generator) return sequence.items;
  const auto from = sequence.items.begin() + static_cast<std::ptrdiff_t>(sequence.taken);
  sequence.taken = sequence.items.size();
  return {from, sequence.items.end()};
}

std::vector<Value> keys_of(const Dict& dict) {
  std::vector<Value> keys;
  for (const auto& member : dict.members) keys.push_back(member.first);
  return keys;
}

std::string_view name_of(Sequence::Type type) {
  constexpr std::string_view kNames[] = {"list",        "tuple",      "range",    "dict_keys",
                                         "dict_values", "dict_items", "generator"};
  return kNames[static_cast<std::size_t>(type)];
}

Text valid_text(const std::string& text) {
  if (const std::size_t at = find_invalid_utf8(text); at != std::string::npos) {
    fail("a text is no UTF-8 at byte " + std::to_string(at));
  }
  return std::make_shared<const std::string>(text);
}

// How jinja2 calls what lacks an attribute.
std::string owner_text(std::string_view type) { return type == "NoneType" ? "None" : std::string(type) + " object"; }

}  // namespace

void fail(std::string message, ErrorKind kind) { throw Failure{kind, std::move(message)}; }

void Budget::exhausted() { fail("the template does more than is allowed: it may loop or grow without end"); }

Value Value::from_json(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_bool()) return json.as_bool();
  if (json.is_int()) return json.as_int();
  if (json.is_number()) return json.as_double();
  if (json.is_string()) return valid_text(json.as_string());
  if (json.is_array()) {
    std::vector<Value> items;
    items.reserve(json.items().size());
    for (const Json& item : json.items()) items.push_back(from_json(item));
    return make_sequence(std::move(items));
  }
  // Of several members of one name the last counts, at the place of the first.
  std::vector<std::pair<Value, Value>> members;
  std::unordered_map<std::string_view, std::size_t> places;
  members.reserve(json.members().size());
  for (const auto& member : json.members()) {
    const auto place = places.emplace(member.first, members.size());
    if (place.second) {
      members.emplace_back(valid_text(member.first), from_json(member.second));
    } else {
      members[place.first->second].second = from_json(member.second);
    }
  }
  return make_dict(std::move(members));
}

bool Value::truth() const {
  switch (kind()) {
    case Kind::undefined:
    case Kind::none: return false;
    case Kind::boolean:
    case Kind::integer: return whole() != 0;
    case Kind::real: return real() != 0;
    case Kind::string: return !string().empty();
    case Kind::sequence: return sequence().type == Sequence::Type::generator || !sequence().items.empty();
    case Kind::dict: return !dict().members.empty();
    case Kind::name_space:
    case Kind::callable: return true;
  }
  return true;
}

std::string_view Value::type_name() const {
  switch (kind()) {
    case Kind::undefined: return "Undefined";
    case Kind::none: return "NoneType";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::string: return "str";
    case Kind::sequence: return name_of(sequence().type);
    case Kind::dict: return "dict";
    case Kind::name_space: return "Namespace";
    case Kind::callable: return "function";
  }
  return "object";
}

std::uint32_t Value::depth() const {
  switch (kind()) {
    case Kind::sequence: return sequence().depth;
    case Kind::dict: return dict().depth;
    case Kind::callable: return callable().depth;
    default: return 0;
  }
}

const Value* Dict::find(const Value& key, Budget& budget) const {
  if (key.is(Kind::string)) {
    budget.charge(1 + members.size() / 16);
    return find(key.string());
  }
  budget.charge(1 + members.size());
  for (const auto& member : members) {
    if (equal(member.first, key, budget)) return &member.second;
  }
  return nullptr;
}

const Value* Dict::find(std::string_view key) const {
  for (const auto& member : members) {
    if (member.first.is(Kind::string) && member.first.string() == key) return &member.second;
  }
  return nullptr;
}

const Value* Namespace::find(std::string_view name) const {
  for (const auto& attribute : attributes) {
    if (*attribute.first == name) return &attribute.second;
  }
  return nullptr;
}

void Namespace::set(const Text& name, Value value) {
  if (name->starts_with('_')) fail("a namespace has no names that begin with an underscore, as \"" + *name + "\" does");
  for (auto& attribute : attributes) {
    if (*attribute.first == *name) {
      attribute.second = std::move(value);
      return;
    }
  }
  attributes.emplace_back(name, std::move(value));
}

std::uint32_t depth_around(std::uint32_t inner) {
  if (inner >= kMostDepth) fail("values nest deeper than " + std::to_string(kMostDepth));
  return inner + 1;
}

Value make_sequence(std::vector<Value> items, Sequence::Type type) {
  Sequence made{.type = type, .depth = 1, .items = std::move(items)};
  std::uint32_t inner = 0;
  for (const Value& item : made.items) inner = std::max(inner, item.depth());
  made.depth = depth_around(inner);
  return std::make_shared<const Sequence>(std::move(made));
}

Value make_dict(std::vector<std::pair<Value, Value>> members) {
  Dict made{.depth = 1, .members = std::move(members)};
  std::uint32_t inner = 0;
  for (const auto& member : made.members) inner = std::max({inner, member.first.depth(), member.second.depth()});
  made.depth = depth_around(inner);
  return std::make_shared<const Dict>(std::move(made));
}

Value make_undefined(std::string message) {
  return Undefined{.name = std::make_shared<const std::string>(std::move(message)), .why = Undefined::Why::other};
}

void expect_hashable(const Value& key) {
  const bool list = key.is(Kind::sequence) && key.sequence().type == Sequence::Type::list;
  if (list || key.is(Kind::dict)) fail("unhashable type: '" + std::string(key.type_name()) + "'");
}

void put(std::vector<std::pair<Value, Value>>& members, Value key, Value value, Budget& budget) {
  expect_hashable(key);
  budget.charge(1 + members.size() / 4);
  for (auto& member : members) {
    if (equal(member.first, key, budget)) {
      member.second = std::move(value);
      return;
    }
  }
  members.emplace_back(std::move(key), std::move(value));
}

std::string message_of(const Undefined& undefined) {
  const std::string name = undefined.name ? *undefined.name : "";
  switch (undefined.why) {
    case Undefined::Why::variable: return "'" + name + "' is undefined";
    case Undefined::Why::attribute: return "'" + owner_text(undefined.owner) + "' has no attribute '" + name + "'";
    case Undefined::Why::element: return owner_text(undefined.owner) + " has no element " + name;
    case Undefined::Why::unsafe:
      return "access to attribute '" + name + "' of '" + std::string(undefined.owner) + "' object is unsafe.";
    case Undefined::Why::other: return name;
  }
  return name;
}

void fail_undefined(const Value& value) { fail(message_of(value.undefined())); }

std::vector<Value> iterate(const Value& value, Budget& budget) {
  switch (value.kind()) {
    case Kind::undefined: return {};
    case Kind::string: budget.charge(1 + value.string().size()); return characters(value.string());
    case Kind::sequence: budget.charge(1 + value.sequence().items.size()); return rest_of(value.sequence());
    case Kind::dict: budget.charge(1 + value.dict().members.size()); return keys_of(value.dict());
    default: fail("'" + std::string(value.type_name()) + "' object is not iterable");
  }
}

std::size_t length_of(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return 0;
    case Kind::string: return character_count(value.string());
    case Kind::dict: return value.dict().members.size();
    case Kind::sequence:
      if (value.sequence().type != Sequence::Type::generator) return value.sequence().items.size();
      [[fallthrough]];
    default: fail("object of type '" + std::string(value.type_name()) + "' has no len()");
  }
}

}  // namespace accelerate::text::jinja
