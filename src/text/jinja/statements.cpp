#include <algorithm>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

// The scope inside another one while it lives.
class InnerScope {
 public:
  InnerScope(std::shared_ptr<Scope>& current, std::shared_ptr<const Scope> parent)
      : current_(current), outer_(std::exchange(current, std::make_shared<Scope>())) {
    current_->parent = parent ? std::move(parent) : outer_;
  }
  InnerScope(const InnerScope&) = delete;
  InnerScope& operator=(const InnerScope&) = delete;
  ~InnerScope() { current_ = outer_; }

 private:
  std::shared_ptr<Scope>& current_;
  std::shared_ptr<Scope> outer_;
};

Value callable(std::string name, std::function<Value(Interpreter&, const Arguments&)> call, std::uint32_t depth = 0) {
  Callable made{.name = std::move(name), .call = std::move(call), .attribute = {}, .depth = depth};
  return std::make_shared<const Callable>(std::move(made));
}

const Value* named_argument(const Arguments& arguments, const Text& name) {
  for (const auto& argument : arguments.named) {
    if (*argument.first == *name) return &argument.second;
  }
  return nullptr;
}

}  // namespace

// What `loop` tells of.
struct Interpreter::LoopState {
  std::vector<Value> items;
  std::size_t index = 0;
  int depth = 0;
  // What loop.changed was last called with, as text: a value could be the loop itself and keep it alive for ever.
  std::optional<std::string> changed;

  Value attribute(std::string_view name) const;
};

const Value* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope != nullptr; scope = scope->parent.get()) {
    for (const auto& variable : scope->names) {
      if (*variable.first == name) return &variable.second;
    }
  }
  return nullptr;
}

void Scope::set(const Text& name, Value value) {
  for (auto& variable : names) {
    if (*variable.first == *name) {
      variable.second = std::move(value);
      return;
    }
  }
  names.emplace_back(name, std::move(value));
}

Interpreter::Interpreter(std::vector<std::pair<Text, Value>> variables, std::size_t steps, const std::tm& now)
    : budget_(steps), now_(now), scope_(std::make_shared<Scope>()) {
  scope_->names = std::move(variables);
}

Interpreter::~Interpreter() {
  for (const auto& each : namespaces_) each->attributes.clear();
}

std::shared_ptr<Namespace> Interpreter::new_namespace() {
  return namespaces_.emplace_back(std::make_shared<Namespace>());
}

std::string Interpreter::run(const Body& body) {
  if (execute(body) != Flow::onward) fail("'break' or 'continue' outside a loop");
  return std::move(out_);
}

void Interpreter::write(std::string_view text) {
  budget_.charge_bytes(text.size());
  out_ += text;
}

Interpreter::Flow Interpreter::execute(const Body& body) {
  for (const Statement& statement : body) {
    const Flow flow = execute(statement);
    if (flow != Flow::onward) return flow;
  }
  return Flow::onward;
}

Interpreter::Flow Interpreter::execute(const Statement& statement) {
  const Entered entered(*this);
  budget_.charge();
  line_ = statement.line;
  return std::visit([this](const auto& node) { return run(node); }, statement.node);
}

Interpreter::Flow Interpreter::run(const Data& data) {
  write(data.text);
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const Output& output) {
  for (const ExpressionPtr& value : output.values) append_str(out_, evaluate(*value), budget_);
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const If& branches) {
  for (const auto& branch : branches.branches) {
    if (evaluate(*branch.first).truth()) return execute(branch.second);
  }
  return execute(branches.otherwise);
}

Interpreter::Flow Interpreter::run(const For& loop) {
  run_loop(loop, evaluate(*loop.items), 0);
  return Flow::onward;
}

std::vector<Value> Interpreter::chosen_items(const For& loop, const Value& over) {
  std::vector<Value> items = iterate(over, budget_);
  if (!loop.condition) return items;
  const InnerScope scope(scope_, nullptr);
  std::vector<Value> chosen;
  for (Value& item : items) {
    assign(loop.target, item);
    if (evaluate(*loop.condition).truth()) chosen.push_back(std::move(item));
  }
  return chosen;
}

void Interpreter::run_loop(const For& loop, const Value& over, int depth) {
  static const Text kLoop = std::make_shared<const std::string>("loop");
  const auto state = std::make_shared<LoopState>();
  state->items = chosen_items(loop, over);
  state->depth = depth;
  if (state->items.empty()) {
    const InnerScope scope(scope_, nullptr);
    if (execute(loop.otherwise) != Flow::onward) fail("'break' or 'continue' in the else of a loop");
    return;
  }
  const Value told = loop_value(state, loop);
  for (; state->index < state->items.size(); ++state->index) {
    const InnerScope scope(scope_, nullptr);
    budget_.charge();
    scope_->names.emplace_back(kLoop, told);
    assign(loop.target, state->items[state->index]);
    if (execute(loop.body) == Flow::break_loop) return;
  }
}

Value Interpreter::LoopState::attribute(std::string_view name) const {
  const std::size_t count = items.size();
  if (name == "index") return index + 1;
  if (name == "index0") return index;
  if (name == "revindex") return count - index;
  if (name == "revindex0") return count - index - 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == count;
  if (name == "length") return count;
  if (name == "depth") return depth + 1;
  if (name == "depth0") return depth;
  if (name == "previtem") return index > 0 ? items[index - 1] : make_undefined("there is no previous item");
  if (name == "nextitem") return index + 1 < count ? items[index + 1] : make_undefined("there is no next item");
  const auto text = std::make_shared<const std::string>(name);
  return Undefined{.name = text, .owner = "jinja2.runtime.LoopContext", .why = Undefined::Why::attribute};
}

Value Interpreter::loop_value(const std::shared_ptr<LoopState>& state, const For& loop) {
  std::uint32_t inner = 0;
  for (const Value& item : state->items) inner = std::max(inner, item.depth());
  Callable made{.name = "LoopContext", .call = {}, .attribute = {}, .depth = depth_around(inner)};
  const std::uint32_t depth = depth_around(made.depth);
  made.attribute = [state, depth](std::string_view name) -> Value {
    if (name == "cycle") {
      return callable(
          "cycle",
          [state](Interpreter&, const Arguments& given) -> Value {
            if (given.positional.empty()) fail("no items for cycling given");
            return given.positional[state->index % given.positional.size()];
          },
          depth);
    }
    if (name != "changed") return state->attribute(name);
    return callable(
        "changed",
        [state](Interpreter& interpreter, const Arguments& given) -> Value {
          const std::string now = repr(make_sequence(given.positional, Sequence::Type::tuple), interpreter.budget());
          const bool same = state->changed == now;
          state->changed = now;
          return !same;
        },
        depth);
  };
  if (loop.recursive) {
    const std::weak_ptr<const Scope> outside = scope_;
    made.call = [state, &loop, outside](Interpreter& interpreter, const Arguments& given) -> Value {
      const auto scope = outside.lock();
      if (given.positional.size() != 1 || !scope) fail("loop() takes one value to loop over");
      const InnerScope inner_scope(interpreter.scope_, scope);
      std::string before = std::exchange(interpreter.out_, {});
      interpreter.run_loop(loop, given.positional[0], state->depth + 1);
      return std::exchange(interpreter.out_, std::move(before));
    };
  }
  return std::make_shared<const Callable>(std::move(made));
}

Interpreter::Flow Interpreter::run(const Set& set) {
  assign(set.target, evaluate(*set.value));
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const SetBlock& set) {
  Value text = text_of(set.body);
  // A chain of filters begins at the block's text.
  if (set.filter) text = filtered_block(*set.filter, text);
  assign(set.target, text);
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const With& with) {
  std::vector<Value> values;
  for (const auto& assignment : with.assignments) values.push_back(evaluate(*assignment.second));
  const InnerScope scope(scope_, nullptr);
  for (std::size_t i = 0; i < values.size(); ++i) assign(with.assignments[i].first, values[i]);
  return execute(with.body);
}

Interpreter::Flow Interpreter::run(const Macro& macro) {
  scope_->set(macro.name, macro_value(macro));
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const CallBlock& block) {
  const Value caller = macro_value(block.caller);
  append_str(out_, called(std::get<Call>(block.call->node), &caller), budget_);
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const FilterBlock& block) {
  const Value text = text_of(block.body);
  append_str(out_, filtered_block(*block.filter, text), budget_);
  return Flow::onward;
}

Interpreter::Flow Interpreter::run(const Scoped& scoped) {
  const InnerScope scope(scope_, nullptr);
  return execute(scoped.body);
}

Interpreter::Flow Interpreter::run(const LoopControl& control) {
  return control.is_break ? Flow::break_loop : Flow::continue_loop;
}

Value Interpreter::filtered_block(const Expression& expression, const Value& text) {
  const Entered entered(*this);
  line_ = expression.line;
  const Filter& filter = std::get<Filter>(expression.node);
  return filtered(filter, filter.object ? filtered_block(*filter.object, text) : text);
}

std::string Interpreter::text_of(const Body& body) {
  const InnerScope scope(scope_, nullptr);
  std::string before = std::exchange(out_, {});
  if (execute(body) != Flow::onward) fail("'break' or 'continue' outside a loop");
  return std::exchange(out_, std::move(before));
}

void Interpreter::assign(const Target& target, const Value& value) {
  if (target.unpacked) {
    const std::vector<Value> items = iterate(value, budget_);
    const std::size_t expected = target.unpacked->size();
    if (items.size() < expected) {
      fail("not enough values to unpack (expected " + std::to_string(expected) + ", got " +
           std::to_string(items.size()) + ")");
    }
    if (items.size() > expected) fail("too many values to unpack (expected " + std::to_string(expected) + ")");
    for (std::size_t i = 0; i < expected; ++i) assign((*target.unpacked)[i], items[i]);
  } else if (!target.attribute) {
    scope_->set(target.name, value);
  } else {
    const Value* object = scope_->find(*target.name);
    if (object == nullptr || !object->is(Kind::name_space)) fail("cannot assign attribute on non-namespace object");
    object->name_space().set(target.attribute, value);
  }
}

Value Interpreter::macro_value(const Macro& macro) {
  const std::weak_ptr<const Scope> defined_in = scope_;
  return callable("macro " + *macro.name, [&macro, defined_in](Interpreter& interpreter, const Arguments& arguments) {
    const auto scope = defined_in.lock();
    if (!scope) fail("macro '" + *macro.name + "' is called outside the block that defines it");
    return interpreter.call_macro(macro, scope, arguments);
  });
}

Value Interpreter::call_macro(const Macro& macro, std::shared_ptr<const Scope> scope, const Arguments& arguments) {
  static const Text kCaller = std::make_shared<const std::string>("caller");
  static const Text kRest = std::make_shared<const std::string>("varargs");
  static const Text kNamedRest = std::make_shared<const std::string>("kwargs");
  const InnerScope inner(scope_, std::move(scope));
  const auto& names = macro.parameters.names;
  const std::size_t required = names.size() - macro.parameters.defaults.size();
  const auto& given = arguments.positional;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Value* named = named_argument(arguments, names[i]);
    if (i < given.size()) {
      if (named != nullptr) fail("macro '" + *macro.name + "' got multiple values for argument '" + *names[i] + "'");
      scope_->set(names[i], given[i]);
    } else if (named != nullptr) {
      scope_->set(names[i], *named);
    } else if (i >= required) {
      scope_->set(names[i], evaluate(*macro.parameters.defaults[i - required]));
    } else {
      scope_->set(names[i], make_undefined("parameter '" + *names[i] + "' was not provided"));
    }
  }
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
  const std::size_t used = std::min(given.size(), names.size());
  if (given.size() > used && !macro.takes_rest) {
    fail("macro '" + *macro.name + "' takes not more than " + std::to_string(names.size()) + " argument(s)");
  }
  if (macro.takes_named_rest) scope_->set(kNamedRest, make_dict(std::move(named_rest)));
  if (macro.takes_rest) {
    std::vector<Value> rest(given.begin() + static_cast<std::ptrdiff_t>(used), given.end());
    scope_->set(kRest, make_sequence(std::move(rest), Sequence::Type::tuple));
  }
  std::string before = std::exchange(out_, {});
  if (execute(macro.body) != Flow::onward) fail("'break' or 'continue' outside a loop");
  return std::exchange(out_, std::move(before));
}

}  // namespace accelerate::text::jinja
