// Python's operators on values: comparison, arithmetic, subscripts. Failure with Python's message where it has one.
#pragma once

#include <compare>

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

bool equal(const Value& a, const Value& b, Budget& budget);
// Order of numbers, strings and sequences; `symbol` ("<") is for the message where the two have no order. NaN is
// unordered.
std::partial_ordering compare(const Value& a, const Value& b, std::string_view symbol, Budget& budget);
// `needle in haystack`
bool contains(const Value& haystack, const Value& needle, Budget& budget);

enum class Arithmetic : std::uint8_t { add, subtract, multiply, divide, floor_divide, modulo, power };
Value arithmetic(Arithmetic operation, const Value& a, const Value& b, Budget& budget);
Value negative(const Value& value);
Value positive(const Value& value);

// object.name: a method or attribute of Python's type before a member of a dict. Undefined where there is neither.
Value attribute_of(const Value& object, const Text& name, Budget& budget);
// object[key]: a member or element before an attribute. Undefined where there is neither.
Value item_of(const Value& object, const Value& key, Budget& budget);
// object[begin:end:step], each None where it is left out.
Value slice_of(const Value& object, const Value& begin, const Value& end, const Value& step, Budget& budget);

}  // namespace accelerate::text::jinja
