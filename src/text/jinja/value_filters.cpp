// Filters of single values: defaults, numbers, attributes.
#include <array>
#include <charconv>
#include <cmath>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

Value otherwise(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  const bool missing = self.is(Kind::undefined) || (given.truth_or(1, false) && !self.truth());
  return missing ? given.value_or(0, "") : self;
}

Value attribute(Interpreter& interpreter, const Value& self, const Given& given) {
  const Text name = std::make_shared<const std::string>(str(given.required(0), interpreter.budget()));
  // A member of a dict is no attribute of it.
  if (self.is(Kind::dict) && find_method(self, *name) == nullptr) {
    return Undefined{.name = name, .owner = self.type_name(), .why = Undefined::Why::attribute};
  }
  return attribute_of(self, name, interpreter.budget());
}

Value absolute(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::undefined)) fail_undefined(self);
  if (self.is(Kind::real)) return std::abs(self.real());
  if (!self.is_whole()) fail("bad operand type for abs(): '" + std::string(self.type_name()) + "'");
  return self.whole() < 0 ? negative(self) : Value(self.whole());
}

// The whole text as a number, underscores and white space around it allowed as in Python.
template <typename Number, typename... Options>
std::optional<Number> parsed(std::string_view text, Options... options) {
  text = stripped(text);
  if (text.starts_with('+') && text.size() > 1 && text[1] != '-') text.remove_prefix(1);
  Number value{};
  const auto read = std::from_chars(text.data(), text.data() + text.size(), value, options...);
  if (read.ec != std::errc() || read.ptr != text.data() + text.size()) return std::nullopt;
  return value;
}

Value whole(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  constexpr double kMost = 9.2e18;
  const Value fallback = given.value_or(0, 0);
  if (self.is(Kind::undefined)) fail_undefined(self);
  if (self.is_whole()) return self.whole();
  if (self.is(Kind::real))
    return std::abs(self.real()) < kMost ? Value(static_cast<std::int64_t>(self.real())) : fallback;
  if (!self.is(Kind::string)) return fallback;
  const std::int64_t base = given.whole_or(1, 10);
  if (base < 2 || base > 36) fail("int() base must be >= 2 and <= 36");
  if (const auto value = parsed<std::int64_t>(self.string(), static_cast<int>(base))) return *value;
  const auto value = parsed<double>(self.string());
  return value && std::abs(*value) < kMost ? Value(static_cast<std::int64_t>(*value)) : fallback;
}

Value real(Interpreter& /*interpreter*/, const Value& self, const Given& given) {
  if (self.is(Kind::undefined)) fail_undefined(self);
  if (self.is_number()) return self.real();
  const auto value = self.is(Kind::string) ? parsed<double>(self.string()) : std::nullopt;
  return value ? Value(*value) : given.value_or(0, 0.0);
}

// Halves go to the even neighbour, as round() of Python.
double rounded(double value, std::int64_t digits) {
  if (digits <= 0) {
    const double scale = std::pow(10.0, static_cast<double>(-digits));
    return std::nearbyint(value / scale) * scale;
  }
  char buffer[400];
  const auto written =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::fixed, static_cast<int>(digits));
  double result = value;
  std::from_chars(buffer, written.ptr, result);
  return result;
}

Value round(Interpreter& interpreter, const Value& self, const Given& given) {
  if (self.is(Kind::undefined)) fail_undefined(self);
  if (!self.is_number()) fail("type " + std::string(self.type_name()) + " doesn't define __round__ method");
  const std::int64_t digits = given.whole_or(0, 0);
  const std::string method = given.text_or(1, "common", interpreter.budget());
  if (digits < -300 || digits > 30) fail("round: the precision is out of range");
  if (method == "common")
    return self.is_whole() && digits >= 0 ? Value(self.whole()) : Value(rounded(self.real(), digits));
  const double scale = std::pow(10.0, static_cast<double>(digits));
  if (method == "ceil") return std::ceil(self.real() * scale) / scale;
  if (method == "floor") return std::floor(self.real() * scale) / scale;
  fail("method must be common, ceil or floor");
}

constexpr std::array kValueFilters = {
    Builtin{"default", otherwise, "default_value= boolean="},
    Builtin{"d", otherwise, "default_value= boolean="},
    Builtin{"attr", attribute, "name"},
    Builtin{"abs", absolute, ""},
    Builtin{"int", whole, "default= base="},
    Builtin{"float", real, "default="},
    Builtin{"round", round, "precision= method="},
};

}  // namespace

BuiltinTable value_filters() { return {kValueFilters.data(), kValueFilters.size()}; }

}  // namespace accelerate::text::jinja
