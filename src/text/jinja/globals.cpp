// Functions that every template has: jinja2's, and those that Transformers adds.
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

Value range(Interpreter& interpreter, const Value& /*self*/, const Given& given) {
  constexpr std::int64_t kMost = 100000;  // jinja2's sandbox allows no more
  const bool one = given[1] == nullptr;
  const std::int64_t from = one ? 0 : given.whole_or(0, 0), to = given.whole_or(one ? 0 : 1, 0),
                     by = given.whole_or(2, 1);
  if (by == 0) fail("range() arg 3 must not be zero");
  constexpr std::int64_t kFar = std::int64_t{1} << 60;
  if (from < -kFar || from > kFar || to < -kFar || to > kFar || by < -kFar || by > kFar) fail("range() is too far");
  const std::int64_t count = by > 0 ? (to - from + by - 1) / by : (from - to - by - 1) / -by;
  if (count > kMost) fail("Range too big. The sandbox blocks ranges larger than MAX_RANGE (100000).");
  std::vector<Value> items;
  for (std::int64_t i = 0; i < count; ++i) items.emplace_back(from + i * by);
  interpreter.budget().charge(items.size());
  return make_sequence(std::move(items), Sequence::Type::range);
}

// dict(pairs or dict, **named)
std::vector<std::pair<Value, Value>> members_of(Interpreter& interpreter, const Given& given) {
  Budget& budget = interpreter.budget();
  const Arguments& all = given.all();
  std::vector<std::pair<Value, Value>> members;
  if (all.positional.size() > 1) fail("dict expected at most 1 argument, got " + std::to_string(all.positional.size()));
  if (!all.positional.empty() && all.positional[0].is(Kind::dict)) {
    members = all.positional[0].dict().members;
    budget.charge(members.size());
  } else if (!all.positional.empty()) {
    for (const Value& pair : iterate(all.positional[0], budget)) {
      const std::vector<Value> two = iterate(pair, budget);
      if (two.size() != 2)
        fail("dictionary update sequence element has length " + std::to_string(two.size()) + "; 2 is required");
      put(members, two[0], two[1], budget);
    }
  }
  for (const auto& argument : all.named) put(members, argument.first, argument.second, budget);
  return members;
}

Value dict(Interpreter& interpreter, const Value& /*self*/, const Given& given) {
  return make_dict(members_of(interpreter, given));
}

Value name_space(Interpreter& interpreter, const Value& /*self*/, const Given& given) {
  const auto made = interpreter.new_namespace();
  for (const auto& member : members_of(interpreter, given)) {
    if (!member.first.is(Kind::string)) fail("a namespace's names are strings");
    made->set(member.first.text(), member.second);
  }
  return made;
}

Value raise_exception(Interpreter& interpreter, const Value& /*self*/, const Given& given) {
  fail(str(given.required(0), interpreter.budget()));
}

Value strftime_now(Interpreter& interpreter, const Value& /*self*/, const Given& given) {
  const std::string format = given.text_or(0, "", interpreter.budget());
  if (format.empty()) return format;
  if (format.size() > 1000 || format.find('\0') != std::string::npos) fail("strftime_now: the format is too long");
  std::string text(format.size() * 16 + 256, '\0');
  text.resize(std::strftime(text.data(), text.size(), format.c_str(), &interpreter.now()));
  return text;
}

constexpr std::array kGlobals = {
    Builtin{"range", range, "start stop= step="},    Builtin{"dict", dict, "*"},
    Builtin{"namespace", name_space, "*"},           Builtin{"raise_exception", raise_exception, "message"},
    Builtin{"strftime_now", strftime_now, "format"},
};

}  // namespace

BuiltinTable all_globals() { return {kGlobals.data(), kGlobals.size()}; }

}  // namespace accelerate::text::jinja
