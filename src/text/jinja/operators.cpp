#include "text/jinja/operators.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include "text/jinja/format.hpp"
#include "text/jinja/strings.hpp"

namespace accelerate::text::jinja {
namespace {

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
  if (a.is_whole() && b.is_whole()) return a.whole() <=> b.whole();
  return a.real() <=> b.real();
}

bool equal_sequences(const Sequence& a, const Sequence& b, Budget& budget) {
  if (a.type != b.type) return false;
  if (!a.is_indexed() || a.items.size() != b.items.size()) return &a == &b;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (!equal(a.items[i], b.items[i], budget)) return false;
  }
  return true;
}

bool equal_dicts(const Dict& a, const Dict& b, Budget& budget) {
  if (a.members.size() != b.members.size()) return false;
  return std::all_of(a.members.begin(), a.members.end(), [&](const auto& member) {
    const Value* other = b.find(member.first, budget);
    return other != nullptr && equal(member.second, *other, budget);
  });
}

[[noreturn]] void no_operator(std::string_view symbol, const Value& a, const Value& b) {
  fail("unsupported operand type(s) for " + std::string(symbol) + ": '" + std::string(a.type_name()) + "' and '" +
       std::string(b.type_name()) + "'");
}

[[noreturn]] void too_large() { fail("a whole number is beyond 64 bits"); }

Value joined_texts(const Value& a, const Value& b, Budget& budget) {
  budget.charge_bytes(
      6 * (a.string().size() + b.string().size()));  // "&quot;" is as long as what escaping makes that escaping makes
  if (!a.is_markup() && !b.is_markup()) return a.string() + b.string();
  const auto safe = [](const Value& text) { return text.is_markup() ? text.string() : html_escaped(text.string()); };
  return Markup{std::make_shared<const std::string>(safe(a) + safe(b))};
}

std::string repeated(std::string_view text, std::int64_t times, Budget& budget) {
  std::string out;
  if (times <= 0 || text.empty()) return out;
  if (static_cast<std::size_t>(times) > std::size_t{1} << 32) budget.charge(~std::size_t{0});
  budget.charge_bytes(text.size() * static_cast<std::size_t>(times));
  out.reserve(text.size() * static_cast<std::size_t>(times));
  for (std::int64_t i = 0; i < times; ++i) out += text;
  return out;
}

Value repeated(const Sequence& sequence, std::int64_t times, Budget& budget) {
  std::vector<Value> items;
  const auto count = static_cast<std::size_t>(std::clamp<std::int64_t>(times, 0, std::int64_t{1} << 32));
  budget.charge(sequence.items.size() * count);
  for (std::size_t i = 0; i < count && !sequence.items.empty(); ++i) {
    items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  }
  return make_sequence(std::move(items), sequence.type);
}

// std::nullopt where these operands are not joined or repeated.
std::optional<Value> on_sequences(Arithmetic operation, const Value& a, const Value& b, Budget& budget) {
  const auto listed = [](const Value& value) {
    return value.is(Kind::sequence) &&
           (value.sequence().type == Sequence::Type::list || value.sequence().type == Sequence::Type::tuple);
  };
  if (operation == Arithmetic::add && a.is(Kind::string) && b.is(Kind::string)) return joined_texts(a, b, budget);
  if (operation == Arithmetic::add && listed(a) && listed(b) && a.sequence().type == b.sequence().type) {
    budget.charge(a.sequence().items.size() + b.sequence().items.size());
    std::vector<Value> items = a.sequence().items;
    items.insert(items.end(), b.sequence().items.begin(), b.sequence().items.end());
    return make_sequence(std::move(items), a.sequence().type);
  }
  if (operation == Arithmetic::multiply) {
    if (a.is(Kind::string) && b.is_whole()) return Value(repeated(a.string(), b.whole(), budget));
    if (b.is(Kind::string) && a.is_whole()) return Value(repeated(b.string(), a.whole(), budget));
    if (listed(a) && b.is_whole()) return repeated(a.sequence(), b.whole(), budget);
    if (listed(b) && a.is_whole()) return repeated(b.sequence(), a.whole(), budget);
  }
  if (operation == Arithmetic::modulo && a.is(Kind::string)) return Value(percent_format(a.string(), b, budget));
  return std::nullopt;
}

std::int64_t whole_power(std::int64_t base, std::int64_t exponent) {
  std::int64_t result = 1;
  while (exponent > 0) {
    if ((exponent & 1) != 0 && __builtin_mul_overflow(result, base, &result)) too_large();
    exponent >>= 1;
    if (exponent > 0 && __builtin_mul_overflow(base, base, &base)) too_large();
  }
  return result;
}

Value whole_arithmetic(Arithmetic operation, std::int64_t a, std::int64_t b) {
  std::int64_t result = 0;
  switch (operation) {
    case Arithmetic::add:
      if (__builtin_add_overflow(a, b, &result)) too_large();
      return result;
    case Arithmetic::subtract:
      if (__builtin_sub_overflow(a, b, &result)) too_large();
      return result;
    case Arithmetic::multiply:
      if (__builtin_mul_overflow(a, b, &result)) too_large();
      return result;
    case Arithmetic::floor_divide:
    case Arithmetic::modulo: {
      if (b == 0) fail("integer division or modulo by zero");
      if (b == -1 && operation == Arithmetic::floor_divide) return negative(a);
      if (b == -1) return 0;
      const std::int64_t rest = a % b;
      const bool below = rest != 0 && (rest < 0) != (b < 0);  // Python rounds down, C towards zero
      if (operation == Arithmetic::modulo) return below ? rest + b : rest;
      return a / b - (below ? 1 : 0);
    }
    case Arithmetic::power:
      if (b >= 0) return whole_power(a, b);
      if (a == 0) fail("zero to a negative power");
      return std::pow(static_cast<double>(a), static_cast<double>(b));
    case Arithmetic::divide:
      if (b == 0) fail("division by zero");
      return static_cast<double>(a) / static_cast<double>(b);
  }
  return result;
}

double floored_rest(double a, double b) {
  double rest = std::fmod(a, b);
  if (rest != 0 && (rest < 0) != (b < 0)) rest += b;
  return rest == 0 ? std::copysign(0.0, b) : rest;
}

Value real_arithmetic(Arithmetic operation, double a, double b) {
  const bool divides =
      operation == Arithmetic::divide || operation == Arithmetic::floor_divide || operation == Arithmetic::modulo;
  if (divides && b == 0)
    fail(operation == Arithmetic::divide ? "float division by zero" : "float floor division by zero");
  switch (operation) {
    case Arithmetic::add: return a + b;
    case Arithmetic::subtract: return a - b;
    case Arithmetic::multiply: return a * b;
    case Arithmetic::divide: return a / b;
    case Arithmetic::floor_divide: return std::floor((a - floored_rest(a, b)) / b + 0.5);
    case Arithmetic::modulo: return floored_rest(a, b);
    case Arithmetic::power:
      if (a == 0 && b < 0) fail("zero to a negative power");
      if (a < 0 && b != std::floor(b)) fail("a negative number has no fractional power here");
      return std::pow(a, b);
  }
  return 0.0;
}

std::string_view symbol_of(Arithmetic operation) {
  constexpr std::string_view kSymbols[] = {"+", "-", "*", "/", "//", "%", "** or pow()"};
  return kSymbols[static_cast<std::size_t>(operation)];
}

}  // namespace

bool equal(const Value& a, const Value& b, Budget& budget) {
  budget.charge();
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  switch (a.kind()) {
    case Kind::string:
      budget.charge_bytes(std::min(a.string().size(), b.string().size()));
      return a.string() == b.string();
    case Kind::sequence: return equal_sequences(a.sequence(), b.sequence(), budget);
    case Kind::dict: return equal_dicts(a.dict(), b.dict(), budget);
    case Kind::name_space: return &a.name_space() == &b.name_space();
    case Kind::callable: return &a.callable() == &b.callable();
    default: return true;  // None is None, undefined is undefined
  }
}

std::partial_ordering compare(const Value& a, const Value& b, std::string_view symbol, Budget& budget) {
  budget.charge();
  if (a.is(Kind::undefined)) fail_undefined(a);
  if (b.is(Kind::undefined)) fail_undefined(b);
  if (a.is_number() && b.is_number()) return compare_numbers(a, b);
  if (a.is(Kind::string) && b.is(Kind::string)) {
    budget.charge_bytes(std::min(a.string().size(), b.string().size()));
    return a.string() <=> b.string();  // bytes of UTF-8 have the order of code points
  }
  const bool sequences = a.is(Kind::sequence) && b.is(Kind::sequence) && a.sequence().type == b.sequence().type &&
                         (a.sequence().type == Sequence::Type::list || a.sequence().type == Sequence::Type::tuple);
  if (!sequences) {
    fail("'" + std::string(symbol) + "' not supported between instances of '" + std::string(a.type_name()) + "' and '" +
         std::string(b.type_name()) + "'");
  }
  const auto& left = a.sequence().items;
  const auto& right = b.sequence().items;
  for (std::size_t i = 0; i < std::min(left.size(), right.size()); ++i) {
    if (!equal(left[i], right[i], budget)) return compare(left[i], right[i], symbol, budget);
  }
  return left.size() <=> right.size();
}

bool contains(const Value& haystack, const Value& needle, Budget& budget) {
  if (haystack.is(Kind::undefined)) return false;
  if (haystack.is(Kind::dict)) expect_hashable(needle);
  if (haystack.is(Kind::dict)) return haystack.dict().find(needle, budget) != nullptr;
  if (haystack.is(Kind::string)) {
    if (needle.is(Kind::undefined)) fail_undefined(needle);
    if (!needle.is(Kind::string)) {
      fail("'in <string>' requires string as left operand, not " + std::string(needle.type_name()));
    }
    budget.charge_bytes(haystack.string().size());
    return haystack.string().find(needle.string()) != std::string::npos;
  }
  if (!haystack.is(Kind::sequence))
    fail("argument of type '" + std::string(haystack.type_name()) + "' is not iterable");
  const std::vector<Value> items = iterate(haystack, budget);
  return std::any_of(items.begin(), items.end(), [&](const Value& item) { return equal(item, needle, budget); });
}

Value arithmetic(Arithmetic operation, const Value& a, const Value& b, Budget& budget) {
  if (a.is_whole() && b.is_whole()) return whole_arithmetic(operation, a.whole(), b.whole());
  if (a.is_number() && b.is_number()) return real_arithmetic(operation, a.real(), b.real());
  const bool formats = operation == Arithmetic::modulo && a.is(Kind::string);
  if (a.is(Kind::undefined)) fail_undefined(a);
  if (b.is(Kind::undefined) && !formats) fail_undefined(b);
  if (auto made = on_sequences(operation, a, b, budget)) return *std::move(made);
  if (operation == Arithmetic::add && a.is(Kind::string)) {
    fail("can only concatenate str (not \"" + std::string(b.type_name()) + "\") to str");
  }
  no_operator(symbol_of(operation), a, b);
}

Value negative(const Value& value) {
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (value.is(Kind::real)) return -value.real();
  if (!value.is_whole()) fail("bad operand type for unary -: '" + std::string(value.type_name()) + "'");
  std::int64_t result = 0;
  if (__builtin_sub_overflow(std::int64_t{0}, value.whole(), &result)) too_large();
  return result;
}

Value positive(const Value& value) {
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (value.is(Kind::real)) return value;
  if (!value.is_whole()) fail("bad operand type for unary +: '" + std::string(value.type_name()) + "'");
  return value.whole();
}

}  // namespace accelerate::text::jinja
