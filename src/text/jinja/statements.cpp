#include "text/jinja/interpreter.hpp"
#include "text/jinja/scopes.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
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

}  // namespace accelerate::text::jinja
