// What a value has inside: attributes, members, elements, slices.
#include <algorithm>

#include "text/jinja/builtins.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

// Methods of Python that change what they are called on; the sandbox of Transformers forbids them.
bool changes_its_object(Kind kind, std::string_view name) {
  constexpr std::string_view kOfDict[] = {"clear", "pop", "popitem", "setdefault", "update"};
  constexpr std::string_view kOfList[] = {"append", "clear", "extend", "insert", "pop", "remove", "reverse", "sort"};
  const auto in = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  return kind == Kind::dict ? in(kOfDict) : kind == Kind::sequence && in(kOfList);
}

Value missing(const Value& object, Text name, Undefined::Why why) {
  return Undefined{.name = std::move(name), .owner = object.type_name(), .why = why};
}

// Python's getattr: no value where the type has no such attribute.
std::optional<Value> own_attribute(const Value& object, const Text& name) {
  if (object.is(Kind::name_space)) {
    const Value* found = object.name_space().find(*name);
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }
  if (object.is(Kind::callable) && object.callable().attribute) return object.callable().attribute(*name);
  if (find_method(object, *name) != nullptr) return bound_method(object, *name);
  if (changes_its_object(object.kind(), *name) || *name == "__class__") {
    return missing(object, name, Undefined::Why::unsafe);
  }
  return std::nullopt;
}

// The element that a whole number names, counted from the end where it is negative.
std::optional<std::size_t> place(std::int64_t index, std::size_t size) {
  const auto count = static_cast<std::int64_t>(size);
  if (index < 0) index += count;
  if (index < 0 || index >= count) return std::nullopt;
  return static_cast<std::size_t>(index);
}

std::optional<Value> own_item(const Value& object, const Value& key, Budget& budget) {
  if (object.is(Kind::dict)) {
    const Value* found = object.dict().find(key, budget);
    return found != nullptr ? std::optional(*found) : std::nullopt;
  }
  if (!key.is_whole()) return std::nullopt;
  if (object.is(Kind::sequence) && object.sequence().is_indexed()) {
    const auto at = place(key.whole(), object.sequence().items.size());
    return at ? std::optional(object.sequence().items[*at]) : std::nullopt;
  }
  if (!object.is(Kind::string)) return std::nullopt;
  const std::string& text = object.string();
  budget.charge_bytes(text.size());
  const auto at = place(key.whole(), character_count(text));
  if (!at) return std::nullopt;
  const std::size_t begin = byte_of(text, *at);
  return Value(std::string_view(text).substr(begin, byte_of(std::string_view(text).substr(begin), 1)));
}

// The elements that begin:end:step chooses of `size`, as Python's slice.indices.
std::vector<std::size_t> chosen(std::size_t size, const Value& begin, const Value& end, const Value& step) {
  const auto whole = [](const Value& value, std::int64_t otherwise) {
    if (value.is(Kind::none)) return otherwise;
    if (value.is(Kind::undefined)) fail_undefined(value);
    if (!value.is_whole()) fail("slice indices must be integers or None or have an __index__ method");
    return value.whole();
  };
  const auto count = static_cast<std::int64_t>(size);
  if (whole(step, 1) == 0) fail("slice step cannot be zero");
  const std::int64_t by = std::clamp(whole(step, 1), -count - 1, count + 1);  // a longer step takes one element too
  const std::int64_t lowest = by > 0 ? 0 : -1, highest = by > 0 ? count : count - 1;
  const auto bound = [&](std::int64_t at) { return std::clamp(at < 0 ? at + count : at, lowest, highest); };
  const std::int64_t from = begin.is(Kind::none) ? (by > 0 ? 0 : count - 1) : bound(whole(begin, 0));
  const std::int64_t to = end.is(Kind::none) ? (by > 0 ? count : -1) : bound(whole(end, 0));
  std::vector<std::size_t> places;
  for (std::int64_t at = from; by > 0 ? at < to : at > to; at += by) places.push_back(static_cast<std::size_t>(at));
  return places;
}

}  // namespace

Value attribute_of(const Value& object, const Text& name, Budget& budget) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  if (auto own = own_attribute(object, name)) return *std::move(own);
  if (auto item = own_item(object, name, budget)) return *std::move(item);
  return missing(object, name, Undefined::Why::attribute);
}

Value item_of(const Value& object, const Value& key, Budget& budget) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  if (auto item = own_item(object, key, budget)) return *std::move(item);
  if (key.is(Kind::string)) {
    if (auto own = own_attribute(object, key.text())) return *std::move(own);
    return missing(object, key.text(), Undefined::Why::attribute);
  }
  return missing(object, std::make_shared<const std::string>(repr(key, budget)), Undefined::Why::element);
}

Value slice_of(const Value& object, const Value& begin, const Value& end, const Value& step, Budget& budget) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  if (object.is(Kind::string)) {
    const std::vector<Value> characters = iterate(object, budget);
    std::string text;
    for (const std::size_t at : chosen(characters.size(), begin, end, step)) text += characters[at].string();
    return text;
  }
  if (!object.is(Kind::sequence) || !object.sequence().is_indexed()) {
    fail("'" + std::string(object.type_name()) + "' object is not subscriptable");
  }
  const Sequence& all = object.sequence();
  budget.charge(all.items.size());
  std::vector<Value> items;
  for (const std::size_t at : chosen(all.items.size(), begin, end, step)) items.push_back(all.items[at]);
  return make_sequence(std::move(items), all.type);
}

}  // namespace accelerate::text::jinja
