#include <compare>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {

Value Interpreter::evaluate(const Expression& expression) {
  const Entered entered(*this);
  budget_.charge();
  line_ = expression.line;
  return std::visit([this](const auto& node) { return value_of(node); }, expression.node);
}

Value Interpreter::value_of(const Literal& literal) { return literal.value; }

Value Interpreter::value_of(const Name& name) {
  if (const Value* found = scope_->find(*name.name)) return *found;
  if (const Builtin* function = find_global(*name.name)) return function_value(*function);
  return Undefined{.name = name.name};
}

Value Interpreter::value_of(const ListDisplay& list) {
  std::vector<Value> items;
  items.reserve(list.items.size());
  for (const ExpressionPtr& item : list.items) items.push_back(evaluate(*item));
  return make_sequence(std::move(items), list.tuple ? Sequence::Type::tuple : Sequence::Type::list);
}

Value Interpreter::value_of(const DictDisplay& dict) {
  std::vector<std::pair<Value, Value>> members;
  for (const auto& member : dict.members) {
    Value key = evaluate(*member.first);
    put(members, std::move(key), evaluate(*member.second), budget_);
  }
  return make_dict(std::move(members));
}

Value Interpreter::value_of(const Attribute& attribute) {
  return attribute_of(evaluate(*attribute.object), attribute.name, budget_);
}

Value Interpreter::value_of(const Item& item) {
  const Value object = evaluate(*item.object);
  return item_of(object, evaluate(*item.key), budget_);
}

Value Interpreter::value_of(const Slice& slice) {
  const Value object = evaluate(*slice.object);
  const auto bound = [this](const ExpressionPtr& expression) { return expression ? evaluate(*expression) : Value(); };
  const Value begin = bound(slice.begin), end = bound(slice.end);
  return slice_of(object, begin, end, bound(slice.step), budget_);
}

Arguments Interpreter::evaluated(const CallArguments& arguments) {
  Arguments given;
  for (const ExpressionPtr& each : arguments.positional) given.positional.push_back(evaluate(*each));
  for (const auto& each : arguments.named) given.named.emplace_back(each.first, evaluate(*each.second));
  if (arguments.rest) {
    const std::vector<Value> more = iterate(evaluate(*arguments.rest), budget_);
    given.positional.insert(given.positional.end(), more.begin(), more.end());
  }
  if (!arguments.named_rest) return given;
  const Value more = evaluate(*arguments.named_rest);
  if (!more.is(Kind::dict)) fail("argument after ** must be a mapping, not " + std::string(more.type_name()));
  budget_.charge(more.dict().members.size());
  for (const auto& member : more.dict().members) {
    if (!member.first.is(Kind::string)) fail("keywords must be strings");
    given.named.emplace_back(member.first.text(), member.second);
  }
  return given;
}

Value Interpreter::value_of(const Call& call) { return called(call, nullptr); }

// `caller` is what a call block hands over, or null.
Value Interpreter::called(const Call& call, const Value* caller) {
  const int line = line_;
  const auto arguments = [&] {
    Arguments given = evaluated(call.arguments);
    static const Text kCaller = std::make_shared<const std::string>("caller");
    if (caller != nullptr) given.named.emplace_back(kCaller, *caller);
    line_ = line;
    return given;
  };
  // Methods and functions are called without making values of them first.
  if (const auto* attribute = std::get_if<Attribute>(&call.callee->node)) {
    const Value object = evaluate(*attribute->object);
    if (const Builtin* method = find_method(object, *attribute->name)) {
      return run_builtin(*method, *this, object, arguments());
    }
    const Value callee = attribute_of(object, attribute->name, budget_);
    return this->call(callee, arguments());
  }
  const auto* name = std::get_if<Name>(&call.callee->node);
  if (name != nullptr && scope_->find(*name->name) == nullptr) {
    if (const Builtin* function = find_global(*name->name)) return run_builtin(*function, *this, {}, arguments());
  }
  const Value callee = evaluate(*call.callee);
  return this->call(callee, arguments());
}

Value Interpreter::call(const Value& callee, const Arguments& arguments) {
  const Entered entered(*this);
  if (callee.is(Kind::undefined)) fail_undefined(callee);
  if (!callee.is(Kind::callable) || !callee.callable().call) {
    fail("'" + std::string(callee.type_name()) + "' object is not callable");
  }
  const int line = line_;
  Value result = callee.callable().call(*this, arguments);
  line_ = line;
  return result;
}

Value Interpreter::value_of(const Filter& filter) { return filtered(filter, evaluate(*filter.object)); }

Value Interpreter::filtered(const Filter& filter, const Value& object) {
  const int line = line_;
  if (filter.builtin == nullptr) fail("No filter named '" + filter.name + "'.", ErrorKind::unsupported);
  const Arguments arguments = evaluated(filter.arguments);
  line_ = line;
  return run_builtin(*filter.builtin, *this, object, arguments);
}

Value Interpreter::value_of(const Test& test) {
  const int line = line_;
  const Value object = evaluate(*test.object);
  if (test.builtin == nullptr) fail("No test named '" + test.name + "'.", ErrorKind::unsupported);
  const Arguments arguments = evaluated(test.arguments);
  line_ = line;
  return run_builtin(*test.builtin, *this, object, arguments);
}

Value Interpreter::value_of(const Not& negation) { return !evaluate(*negation.operand).truth(); }

Value Interpreter::value_of(const Signed& sign) {
  const Value operand = evaluate(*sign.operand);
  return sign.negative ? negative(operand) : positive(operand);
}

Value Interpreter::value_of(const Binary& binary) {
  const int line = line_;
  const Value left = evaluate(*binary.left);
  const Value right = evaluate(*binary.right);
  line_ = line;
  return arithmetic(binary.operation, left, right, budget_);
}

Value Interpreter::value_of(const Concat& concat) {
  std::string text;
  for (const ExpressionPtr& part : concat.parts) append_str(text, evaluate(*part), budget_);
  return text;
}

Value Interpreter::value_of(const Logic& logic) {
  Value left = evaluate(*logic.left);
  return left.truth() == logic.is_and ? evaluate(*logic.right) : left;
}

bool Interpreter::holds(Comparison comparison, const Value& left, const Value& right) {
  switch (comparison) {
    case Comparison::equal: return equal(left, right, budget_);
    case Comparison::not_equal: return !equal(left, right, budget_);
    case Comparison::less: return std::is_lt(compare(left, right, "<", budget_));
    case Comparison::less_equal: return std::is_lteq(compare(left, right, "<=", budget_));
    case Comparison::greater: return std::is_gt(compare(left, right, ">", budget_));
    case Comparison::greater_equal: return std::is_gteq(compare(left, right, ">=", budget_));
    case Comparison::in: return contains(right, left, budget_);
    case Comparison::not_in: return !contains(right, left, budget_);
  }
  return false;
}

Value Interpreter::value_of(const Compare& compare) {
  const int line = line_;
  Value left = evaluate(*compare.first);
  for (const auto& each : compare.rest) {
    Value right = evaluate(*each.second);
    line_ = line;
    if (!holds(each.first, left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::value_of(const Conditional& conditional) {
  const int line = line_;
  if (evaluate(*conditional.condition).truth()) return evaluate(*conditional.yes);
  if (conditional.no) return evaluate(*conditional.no);
  return make_undefined("the inline if-expression on line " + std::to_string(line) +
                        " evaluated to false and no else section was defined.");
}

}  // namespace accelerate::text::jinja
