// What stands behind `is`.
#include <array>
#include <compare>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

template <Kind kKind>
Value is_kind(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.is(kKind);
}

Value is_defined(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return !self.is(Kind::undefined);
}

Value is_number(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) { return self.is_number(); }

Value is_true(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.is(Kind::boolean) && self.truth();
}

Value is_false(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.is(Kind::boolean) && !self.truth();
}

Value is_sequence(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  const bool indexed = self.is(Kind::sequence) && self.sequence().is_indexed();
  return indexed || self.is(Kind::string) || self.is(Kind::dict) || self.is(Kind::undefined);
}

Value is_iterable(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.is(Kind::sequence) || self.is(Kind::string) || self.is(Kind::dict) || self.is(Kind::undefined);
}

Value is_callable(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  return self.is(Kind::undefined) || (self.is(Kind::callable) && self.callable().call != nullptr);
}

// Whether self % by is `wanted`: text that is no format makes that false, as in Python.
bool leaves(Interpreter& interpreter, const Value& self, std::int64_t by, int wanted) {
  return equal(arithmetic(Arithmetic::modulo, self, by, interpreter.budget()), wanted, interpreter.budget());
}

Value is_even(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return leaves(interpreter, self, 2, 0);
}

Value is_odd(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return leaves(interpreter, self, 2, 1);
}

Value is_divisible(Interpreter& interpreter, const Value& self, const Given& given) {
  return leaves(interpreter, self, given.whole_or(0, 0), 0);
}

Value is_equal(Interpreter& interpreter, const Value& self, const Given& given) {
  return equal(self, given.required(0), interpreter.budget());
}

Value is_unequal(Interpreter& interpreter, const Value& self, const Given& given) {
  return !equal(self, given.required(0), interpreter.budget());
}

Value is_less(Interpreter& interpreter, const Value& self, const Given& given) {
  return std::is_lt(compare(self, given.required(0), "<", interpreter.budget()));
}

Value is_less_equal(Interpreter& interpreter, const Value& self, const Given& given) {
  return std::is_lteq(compare(self, given.required(0), "<=", interpreter.budget()));
}

Value is_greater(Interpreter& interpreter, const Value& self, const Given& given) {
  return std::is_gt(compare(self, given.required(0), ">", interpreter.budget()));
}

Value is_greater_equal(Interpreter& interpreter, const Value& self, const Given& given) {
  return std::is_gteq(compare(self, given.required(0), ">=", interpreter.budget()));
}

Value is_in(Interpreter& interpreter, const Value& self, const Given& given) {
  return contains(given.required(0), self, interpreter.budget());
}

// One object: constants are, equal strings and numbers count as one here.
Value is_same(Interpreter& interpreter, const Value& self, const Given& given) {
  const Value& other = given.required(0);
  if (self.kind() != other.kind()) return false;
  if (self.is(Kind::sequence)) return &self.sequence() == &other.sequence();
  if (self.is(Kind::dict)) return &self.dict() == &other.dict();
  return equal(self, other, interpreter.budget());
}

Value is_lower(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  const std::string text = str(self, interpreter.budget());
  return text == to_lower(text) && text != to_upper(text);
}

Value is_upper(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  const std::string text = str(self, interpreter.budget());
  return text == to_upper(text) && text != to_lower(text);
}

Value is_filter(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return find_filter(str(self, interpreter.budget())) != nullptr;
}

Value is_test(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return find_test(str(self, interpreter.budget())) != nullptr;
}

constexpr std::array kTests = {
    Builtin{"defined", is_defined, ""},
    Builtin{"undefined", is_kind<Kind::undefined>, ""},
    Builtin{"none", is_kind<Kind::none>, ""},
    Builtin{"boolean", is_kind<Kind::boolean>, ""},
    Builtin{"true", is_true, ""},
    Builtin{"false", is_false, ""},
    Builtin{"integer", is_kind<Kind::integer>, ""},
    Builtin{"float", is_kind<Kind::real>, ""},
    Builtin{"number", is_number, ""},
    Builtin{"string", is_kind<Kind::string>, ""},
    Builtin{"mapping", is_kind<Kind::dict>, ""},
    Builtin{"sequence", is_sequence, ""},
    Builtin{"iterable", is_iterable, ""},
    Builtin{"callable", is_callable, ""},
    Builtin{"even", is_even, ""},
    Builtin{"odd", is_odd, ""},
    Builtin{"divisibleby", is_divisible, "num"},
    Builtin{"eq", is_equal, "other"},
    Builtin{"equalto", is_equal, "other"},
    Builtin{"==", is_equal, "other"},
    Builtin{"ne", is_unequal, "other"},
    Builtin{"!=", is_unequal, "other"},
    Builtin{"lt", is_less, "other"},
    Builtin{"lessthan", is_less, "other"},
    Builtin{"<", is_less, "other"},
    Builtin{"le", is_less_equal, "other"},
    Builtin{"<=", is_less_equal, "other"},
    Builtin{"gt", is_greater, "other"},
    Builtin{"greaterthan", is_greater, "other"},
    Builtin{">", is_greater, "other"},
    Builtin{"ge", is_greater_equal, "other"},
    Builtin{">=", is_greater_equal, "other"},
    Builtin{"in", is_in, "seq"},
    Builtin{"sameas", is_same, "other"},
    Builtin{"lower", is_lower, ""},
    Builtin{"upper", is_upper, ""},
    Builtin{"filter", is_filter, ""},
    Builtin{"test", is_test, ""},
};

}  // namespace

BuiltinTable all_tests() { return {kTests.data(), kTests.size()}; }

}  // namespace accelerate::text::jinja
