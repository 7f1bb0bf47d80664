// Filters that take items one by one: map, select and their kin.
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/paths.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

// map and select take what is false, None too, for nothing to run over.
std::vector<Value> iterate_if_true(const Value& value, Budget& budget) {
  return value.truth() ? iterate(value, budget) : std::vector<Value>();
}

// The rest of the arguments, for a filter or test that is named by one of them.
Arguments behind(const Arguments& all, std::size_t count) {
  Arguments rest{.positional = {}, .named = all.named};
  for (std::size_t i = count; i < all.positional.size(); ++i) rest.positional.push_back(all.positional[i]);
  return rest;
}

Value map_attribute(Interpreter& interpreter, const Value& self, const Arguments& all) {
  Budget& budget = interpreter.budget();
  const Value* path = nullptr;
  const Value* otherwise = nullptr;
  for (const auto& argument : all.named) {
    if (*argument.first == "attribute") {
      path = &argument.second;
    } else if (*argument.first == "default") {
      otherwise = &argument.second;
    } else {
      fail("Unexpected keyword argument '" + *argument.first + "'");
    }
  }
  if (path == nullptr) fail("map requires a filter argument");
  std::vector<Value> mapped;
  for (const Value& item : iterate_if_true(self, budget)) {
    mapped.push_back(at_path(item, *path, budget, otherwise));
  }
  return make_generator(std::move(mapped));
}

Value map(Interpreter& interpreter, const Value& self, const Given& given) {
  const Arguments& all = given.all();
  if (all.positional.empty()) return map_attribute(interpreter, self, all);
  const std::string name = str(all.positional[0], interpreter.budget());
  const Builtin* filter = find_filter(name);
  if (filter == nullptr) fail("No filter named '" + name + "'.", ErrorKind::unsupported);
  const Arguments rest = behind(all, 1);
  std::vector<Value> mapped;
  for (const Value& item : iterate_if_true(self, interpreter.budget())) {
    interpreter.budget().charge();
    mapped.push_back(run_builtin(*filter, interpreter, item, rest));
  }
  return make_generator(std::move(mapped));
}

// select, reject and their forms that look at an attribute: items for which the named test, or truth, is `wanted`.
Value chosen(Interpreter& interpreter, const Value& self, const Given& given, bool by_attribute, bool wanted) {
  Budget& budget = interpreter.budget();
  const Arguments& all = given.all();
  if (by_attribute && all.positional.empty()) fail("Missing parameter for attribute name");
  const std::size_t at = by_attribute ? 1 : 0;
  const Builtin* test = nullptr;
  if (all.positional.size() > at) {
    const std::string name = str(all.positional[at], budget);
    test = find_test(name);
    if (test == nullptr) fail("No test named '" + name + "'.", ErrorKind::unsupported);
  }
  const Arguments rest = behind(all, at + 1);
  std::vector<Value> kept;
  for (const Value& item : iterate_if_true(self, budget)) {
    budget.charge();
    const Value looked_at = by_attribute ? at_path(item, all.positional[0], budget) : item;
    const bool holds = test != nullptr ? run_builtin(*test, interpreter, looked_at, rest).truth() : looked_at.truth();
    if (holds == wanted) kept.push_back(item);
  }
  return make_generator(std::move(kept));
}

Value select(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, false, true);
}
Value reject(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, false, false);
}
Value selectattr(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, true, true);
}
Value rejectattr(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, true, false);
}

constexpr std::array kChoosingFilters = {
    Builtin{"map", map, "*"},
    Builtin{"select", select, "*"},
    Builtin{"reject", reject, "*"},
    Builtin{"selectattr", selectattr, "*"},
    Builtin{"rejectattr", rejectattr, "*"},
};

}  // namespace

BuiltinTable choosing_filters() { return {kChoosingFilters.data(), kChoosingFilters.size()}; }

}  // namespace accelerate::text::jinja
