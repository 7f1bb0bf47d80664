#include "text/jinja/builtins.hpp"

#include <algorithm>

#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

const Builtin* find_in(BuiltinTable table, std::string_view name) {
  const Builtin* end = table.first + table.second;
  const Builtin* found = std::find_if(table.first, end, [&](const Builtin& each) { return each.name == name; });
  return found == end ? nullptr : found;
}

// The next word of `parameters`, which is shortened by it.
std::string_view next_word(std::string_view& parameters) {
  const std::size_t end = std::min(parameters.find(' '), parameters.size());
  const std::string_view word = parameters.substr(0, end);
  parameters.remove_prefix(std::min(end + 1, parameters.size()));
  return word;
}

}  // namespace

Given::Given(const Builtin& builtin, const Arguments& arguments) : arguments_(arguments) {
  if (builtin.parameters == "*") return;
  const std::string who = std::string(builtin.name) + "()";
  std::string_view parameters = builtin.parameters;
  std::size_t count = 0, named = 0;
  for (; !parameters.empty(); ++count) {
    std::string_view name = next_word(parameters);
    const bool optional = name.ends_with('=');
    if (optional) name.remove_suffix(1);
    if (count < arguments.positional.size()) slots_[count] = &arguments.positional[count];
    for (const auto& argument : arguments.named) {
      if (*argument.first != name) continue;
      if (slots_[count] != nullptr) fail(who + " got multiple values for argument '" + std::string(name) + "'");
      slots_[count] = &argument.second;
      ++named;
    }
    if (slots_[count] == nullptr && !optional) fail(who + " misses its argument '" + std::string(name) + "'");
  }
  if (arguments.positional.size() > count) fail(who + " takes at most " + std::to_string(count) + " arguments");
  if (arguments.named.size() > named) fail(who + " got an unexpected keyword argument");
}

std::int64_t Given::whole_or(std::size_t i, std::int64_t otherwise) const {
  if (slots_[i] == nullptr) return otherwise;
  if (slots_[i]->is(Kind::undefined)) fail_undefined(*slots_[i]);
  if (!slots_[i]->is_whole()) {
    fail("'" + std::string(slots_[i]->type_name()) + "' object cannot be interpreted as an integer");
  }
  return slots_[i]->whole();
}

std::string Given::text_or(std::size_t i, std::string_view otherwise, Budget& budget) const {
  return slots_[i] != nullptr ? str(*slots_[i], budget) : std::string(otherwise);
}

Value run_builtin(const Builtin& builtin, Interpreter& interpreter, const Value& self, const Arguments& arguments) {
  return builtin.run(interpreter, self, Given(builtin, arguments));
}

const Builtin* find_filter(std::string_view name) {
  for (const auto& table :
       {string_filters(), sequence_filters(), choosing_filters(), ordering_filters(), value_filters()}) {
    if (const Builtin* found = find_in(table, name)) return found;
  }
  return nullptr;
}

const Builtin* find_test(std::string_view name) { return find_in(all_tests(), name); }
const Builtin* find_global(std::string_view name) { return find_in(all_globals(), name); }

const Builtin* find_method(const Value& object, std::string_view name) {
  if (object.is(Kind::string)) return find_in(string_methods(), name);
  if (object.is(Kind::dict)) return find_in(dict_methods(), name);
  if (object.is(Kind::sequence) && object.sequence().is_indexed()) return find_in(list_methods(), name);
  return nullptr;
}

Value bound_method(const Value& object, std::string_view name) {
  const Builtin* method = find_method(object, name);
  Callable bound{
      .name = "method " + std::string(name), .call = {}, .attribute = {}, .depth = depth_around(object.depth())};
  bound.call = [object, method](Interpreter& interpreter, const Arguments& arguments) {
    return run_builtin(*method, interpreter, object, arguments);
  };
  return std::make_shared<const Callable>(std::move(bound));
}

Value function_value(const Builtin& builtin) {
  Callable made{.name = "function " + std::string(builtin.name), .call = {}};
  made.call = [&builtin](Interpreter& interpreter, const Arguments& arguments) {
    return run_builtin(builtin, interpreter, {}, arguments);
  };
  return std::make_shared<const Callable>(std::move(made));
}

}  // namespace accelerate::text::jinja
