// What a template says, as a tree. Made by the parser, walked by the interpreter, never changed.
#pragma once

#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/operators.hpp"
#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

struct Builtin;
struct Expression;
struct Statement;
using ExpressionPtr = std::unique_ptr<Expression>;
using Body = std::vector<Statement>;

struct CallArguments {
  std::vector<ExpressionPtr> positional;
  std::vector<std::pair<Text, ExpressionPtr>> named;
  ExpressionPtr rest, named_rest;  // *rest, **named_rest; null where there are none
};

// Expressions.
struct Literal {
  Value value;
};
struct Name {
  Text name;
};
struct ListDisplay {
  std::vector<ExpressionPtr> items;
  bool tuple = false;
};
struct DictDisplay {
  std::vector<std::pair<ExpressionPtr, ExpressionPtr>> members;
};
struct Attribute {
  ExpressionPtr object;
  Text name;
};
struct Item {
  ExpressionPtr object, key;
};
struct Slice {
  ExpressionPtr object, begin, end, step;  // the last three may be null
};
struct Call {
  ExpressionPtr callee;
  CallArguments arguments;
};
struct Filter {
  ExpressionPtr object;  // null where a block's text is filtered
  std::string name;
  const Builtin* builtin = nullptr;  // null: unknown, a failure where it is reached
  CallArguments arguments;
};
struct Test {
  ExpressionPtr object;
  std::string name;
  const Builtin* builtin = nullptr;
  CallArguments arguments;
};
struct Not {
  ExpressionPtr operand;
};
struct Signed {
  ExpressionPtr operand;
  bool negative = true;
};
struct Binary {
  Arithmetic operation;
  ExpressionPtr left, right;
};
struct Concat {
  std::vector<ExpressionPtr> parts;
};
struct Logic {  // `and`, `or`
  bool is_and;
  ExpressionPtr left, right;
};
enum class Comparison : std::uint8_t { equal, not_equal, less, less_equal, greater, greater_equal, in, not_in };
struct Compare {
  ExpressionPtr first;
  std::vector<std::pair<Comparison, ExpressionPtr>> rest;
};
struct Conditional {
  ExpressionPtr condition, yes, no;  // `no` may be null
};

struct Expression {
  int line = 0;
  int depth = 1;  // of the tree from here on
  std::variant<Literal, Name, ListDisplay, DictDisplay, Attribute, Item, Slice, Call, Filter, Test, Not, Signed, Binary,
               Concat, Logic, Compare, Conditional>
      node;
};

// What `set`, `for` and `with` assign to.
struct Target {
  Text name;
  Text attribute;                               // of the namespace `name`; null for a variable
  std::optional<std::vector<Target>> unpacked;  // a tuple of targets instead
};

struct Parameters {
  std::vector<Text> names;
  std::vector<ExpressionPtr> defaults;  // of the last ones
};

// Statements.
struct Output {
  std::vector<ExpressionPtr> values;
};
struct Data {
  std::string text;
};
struct If {
  std::vector<std::pair<ExpressionPtr, Body>> branches;
  Body otherwise;
};
struct For {
  Target target;
  ExpressionPtr items, condition;  // `condition` may be null
  bool recursive = false;
  Body body, otherwise;
};
struct Set {
  Target target;
  ExpressionPtr value;
};
struct SetBlock {
  Target target;
  ExpressionPtr filter;  // may be null
  Body body;
};
struct With {
  std::vector<std::pair<Target, ExpressionPtr>> assignments;
  Body body;
};
struct Macro {
  Text name;
  Parameters parameters;
  Body body;
  bool takes_rest = false, takes_named_rest = false;  // the body speaks of varargs, kwargs
};
struct CallBlock {
  ExpressionPtr call;
  Macro caller;
};
struct FilterBlock {
  ExpressionPtr filter;
  Body body;
};
// A body with a scope of its own: `generation`, `block`.
struct Scoped {
  Body body;
};
struct LoopControl {
  bool is_break;
};

struct Statement {
  int line = 0;
  std::variant<Data, Output, If, For, Set, SetBlock, With, Macro, CallBlock, FilterBlock, Scoped, LoopControl> node;
};

}  // namespace accelerate::text::jinja
