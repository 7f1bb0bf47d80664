#include <algorithm>

#include "text/jinja/scopes.hpp"

namespace accelerate::text::jinja {
namespace {

const Value* named_argument(const Arguments& arguments, const Text& name) {
  for (const auto& argument : arguments.named) {
    if (*argument.first == *name) return &argument.second;
  }
  return nullptr;
}

}  // namespace

Value Interpreter::macro_value(const Macro& macro) {
  const std::weak_ptr<const Scope> defined_in = scope_;
  return callable("macro " + *macro.name, [&macro, defined_in](Interpreter& interpreter, const Arguments& arguments) {
    const auto scope = defined_in.lock();
    if (!scope) fail("macro '" + *macro.name + "' is called outside the block that defines it");
    return interpreter.call_macro(macro, scope, arguments);
  });
}

void Interpreter::bind_parameters(const Macro& macro, const Arguments& arguments) {
  const auto& names = macro.parameters.names;
  const std::size_t required = names.size() - macro.parameters.defaults.size();
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Value* named = named_argument(arguments, names[i]);
    if (i < arguments.positional.size()) {
      if (named != nullptr) fail("macro '" + *macro.name + "' got multiple values for argument '" + *names[i] + "'");
      scope_->set(names[i], arguments.positional[i]);
    } else if (named != nullptr) {
      scope_->set(names[i], *named);
    } else if (i >= required) {
      scope_->set(names[i], evaluate(*macro.parameters.defaults[i - required]));
    } else {
      scope_->set(names[i], make_undefined("parameter '" + *names[i] + "' was not provided"));
    }
  }
}

// Arguments that no parameter takes: `caller`, and those that the body knows as varargs and kwargs.
void Interpreter::bind_rest(const Macro& macro, const Arguments& arguments) {
  static const Text kCaller = std::make_shared<const std::string>("caller");
  static const Text kRest = std::make_shared<const std::string>("varargs");
  static const Text kNamedRest = std::make_shared<const std::string>("kwargs");
  const auto& names = macro.parameters.names;
  std::vector<std::pair<Value, Value>> named_rest;
  for (const auto& argument : arguments.named) {
    if (std::any_of(names.begin(), names.end(), [&](const Text& name) { return *name == *argument.first; })) continue;
    if (*argument.first == *kCaller) {
      scope_->set(kCaller, argument.second);
    } else if (macro.takes_named_rest) {
      put(named_rest, argument.first, argument.second, budget_);
    } else {
      fail("macro '" + *macro.name + "' takes no keyword argument '" + *argument.first + "'");
    }
  }
  const auto& given = arguments.positional;
  const std::size_t used = std::min(given.size(), names.size());
  if (given.size() > used && !macro.takes_rest) {
    fail("macro '" + *macro.name + "' takes not more than " + std::to_string(names.size()) + " argument(s)");
  }
  if (macro.takes_named_rest) scope_->set(kNamedRest, make_dict(std::move(named_rest)));
  if (!macro.takes_rest) return;
  std::vector<Value> rest(given.begin() + static_cast<std::ptrdiff_t>(used), given.end());
  scope_->set(kRest, make_sequence(std::move(rest), Sequence::Type::tuple));
}

Value Interpreter::call_macro(const Macro& macro, std::shared_ptr<const Scope> scope, const Arguments& arguments) {
  const InnerScope inner(scope_, std::move(scope));
  bind_parameters(macro, arguments);
  bind_rest(macro, arguments);
  std::string before = std::exchange(out_, {});
  if (execute(macro.body) != Flow::onward) fail("'break' or 'continue' outside a loop");
  return std::exchange(out_, std::move(before));
}

}  // namespace accelerate::text::jinja
