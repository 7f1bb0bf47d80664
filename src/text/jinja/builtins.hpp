// What templates may call without defining it: filters, tests, methods of Python's types, global functions.
#pragma once

#include <array>
#include <string_view>

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

class Interpreter;
class Given;

struct Builtin {
  std::string_view name;
  Value (*run)(Interpreter& interpreter, const Value& self, const Given& given);
  // Names of the arguments behind `self`, those that may be left out with "=" behind; "*" for any arguments.
  std::string_view parameters;
};

// Arguments sorted into a builtin's parameters. Failure for those that it does not have or misses.
class Given {
 public:
  Given(const Builtin& builtin, const Arguments& arguments);

  // The argument of parameter i; null where it was left out.
  const Value* operator[](std::size_t i) const { return slots_[i]; }
  const Value& required(std::size_t i) const { return *slots_[i]; }
  Value value_or(std::size_t i, Value otherwise) const {
    if (slots_[i] != nullptr) return *slots_[i];
    return otherwise;
  }
  bool truth_or(std::size_t i, bool otherwise) const { return slots_[i] != nullptr ? slots_[i]->truth() : otherwise; }
  // Failure where the argument is no whole number.
  std::int64_t whole_or(std::size_t i, std::int64_t otherwise) const;
  // As str() of a template, so that other values than strings may be given.
  std::string text_or(std::size_t i, std::string_view otherwise, Budget& budget) const;
  const Arguments& all() const { return arguments_; }

 private:
  const Arguments& arguments_;
  std::array<const Value*, 6> slots_{};
};

Value run_builtin(const Builtin& builtin, Interpreter& interpreter, const Value& self, const Arguments& arguments);

// Null where there is none of that name.
const Builtin* find_filter(std::string_view name);
const Builtin* find_test(std::string_view name);
const Builtin* find_global(std::string_view name);
const Builtin* find_method(const Value& object, std::string_view name);
// object.name as a value that can be called later; the method must be there.
Value bound_method(const Value& object, std::string_view name);
Value function_value(const Builtin& builtin);

// Each file of builtins has a table; they are joined in builtins.cpp.
using BuiltinTable = std::pair<const Builtin*, std::size_t>;
BuiltinTable string_filters();
BuiltinTable sequence_filters();
BuiltinTable choosing_filters();
BuiltinTable ordering_filters();
BuiltinTable value_filters();
BuiltinTable all_tests();
BuiltinTable all_globals();
BuiltinTable string_methods();
BuiltinTable list_methods();
BuiltinTable dict_methods();

}  // namespace accelerate::text::jinja
