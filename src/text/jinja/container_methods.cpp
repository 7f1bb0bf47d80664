// Methods of dict, list and tuple that leave them as they are.
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"

namespace accelerate::text::jinja {
namespace {

Value get(Interpreter& interpreter, const Value& self, const Given& given) {
  expect_hashable(given.required(0));
  const Value* found = self.dict().find(given.required(0), interpreter.budget());
  return found != nullptr ? *found : given.value_or(1, {});
}

Value keys(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return make_sequence(iterate(self, interpreter.budget()), Sequence::Type::keys);
}

Value values(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge(self.dict().members.size());
  std::vector<Value> all;
  for (const auto& member : self.dict().members) all.push_back(member.second);
  return make_sequence(std::move(all), Sequence::Type::values);
}

Value items(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  interpreter.budget().charge(self.dict().members.size());
  std::vector<Value> all;
  for (const auto& member : self.dict().members) {
    all.push_back(make_sequence({member.first, member.second}, Sequence::Type::tuple));
  }
  return make_sequence(std::move(all), Sequence::Type::items);
}

// Values never change, so that a copy is the value.
Value copy(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) { return self; }

Value count(Interpreter& interpreter, const Value& self, const Given& given) {
  std::size_t times = 0;
  for (const Value& item : self.sequence().items) times += equal(item, given.required(0), interpreter.budget()) ? 1 : 0;
  return times;
}

Value index(Interpreter& interpreter, const Value& self, const Given& given) {
  const std::vector<Value>& items = self.sequence().items;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (equal(items[i], given.required(0), interpreter.budget())) return i;
  }
  fail("the value is not in the list");
}

constexpr std::array kDictMethods = {
    Builtin{"get", get, "key default="}, Builtin{"keys", keys, ""}, Builtin{"values", values, ""},
    Builtin{"items", items, ""},         Builtin{"copy", copy, ""},
};

constexpr std::array kListMethods = {
    Builtin{"count", count, "value"},
    Builtin{"index", index, "value"},
    Builtin{"copy", copy, ""},
};

}  // namespace

BuiltinTable dict_methods() { return {kDictMethods.data(), kDictMethods.size()}; }
BuiltinTable list_methods() { return {kListMethods.data(), kListMethods.size()}; }

}  // namespace accelerate::text::jinja
