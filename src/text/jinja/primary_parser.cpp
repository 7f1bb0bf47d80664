// What binds tightest: literals, names, displays, and what stands behind them: subscripts, calls, filters, tests.
#include <algorithm>

#include "text/jinja/builtins.hpp"
#include "text/jinja/expression_parser.hpp"

namespace accelerate::text::jinja {

ExpressionPtr ExpressionParser::unary(bool with_filters) {
  const Nested nested(*this);
  const int line = current().line;
  ExpressionPtr value;
  if (current().is_symbol("-") || current().is_symbol("+")) {
    const bool negative = next().text == "-";
    ExpressionPtr operand = unary(false);
    const int below = operand->depth;
    value = make(line, Signed{std::move(operand), negative}, below);
  } else {
    value = primary();
  }
  value = postfix(std::move(value));
  return with_filters ? filters_and_tests(std::move(value)) : std::move(value);
}

ExpressionPtr ExpressionParser::primary() {
  const Token token = current();
  if (token.type == TokenType::name) {
    next();
    const std::string& name = token.text;
    if (name == "true" || name == "True") return make(token.line, Literal{true}, 0);
    if (name == "false" || name == "False") return make(token.line, Literal{false}, 0);
    if (name == "none" || name == "None") return make(token.line, Literal{}, 0);
    return make(token.line, Name{std::make_shared<const std::string>(name)}, 0);
  }
  if (token.type == TokenType::literal) {
    next();
    if (!token.value.is(Kind::string)) return make(token.line, Literal{token.value}, 0);
    std::string joined = token.value.string();  // neighbouring strings are one
    while (current().type == TokenType::literal && current().value.is(Kind::string)) joined += next().value.string();
    return make(token.line, Literal{joined}, 0);
  }
  if (token.is_symbol("[")) return list();
  if (token.is_symbol("{")) return dict();
  if (!skip_symbol("(")) unexpected({});
  ExpressionPtr inside = tuple(true, {}, true);
  expect_symbol(")");
  return inside;
}

bool ExpressionParser::at_tuple_end(std::string_view end) const {
  const Token& token = current();
  return token.type == TokenType::output_end || token.type == TokenType::block_end || token.is_symbol(")") ||
         (!end.empty() && token.is_name(end));
}

ExpressionPtr ExpressionParser::tuple(bool with_condition, std::string_view end, bool parenthesised) {
  const int line = current().line;
  ListDisplay all{.items = {}, .tuple = true};
  int below = 0;
  bool comma = false;
  do {
    if (at_tuple_end(end)) break;
    all.items.push_back(expression(with_condition));
    below = std::max(below, all.items.back()->depth);
    comma = comma || current().is_symbol(",");
  } while (skip_symbol(","));
  if (!comma && !all.items.empty()) return std::move(all.items.front());
  if (!comma && !parenthesised) unexpected("an expression");
  return make(line, std::move(all), below);
}

ExpressionPtr ExpressionParser::list() {
  const int line = next().line;
  ListDisplay all;
  int below = 0;
  while (!current().is_symbol("]")) {
    if (!all.items.empty()) expect_symbol(",");
    if (current().is_symbol("]")) break;
    all.items.push_back(expression());
    below = std::max(below, all.items.back()->depth);
  }
  expect_symbol("]");
  return make(line, std::move(all), below);
}

ExpressionPtr ExpressionParser::dict() {
  const int line = next().line;
  DictDisplay all;
  int below = 0;
  while (!current().is_symbol("}")) {
    if (!all.members.empty()) expect_symbol(",");
    if (current().is_symbol("}")) break;
    ExpressionPtr key = expression();
    expect_symbol(":");
    all.members.emplace_back(std::move(key), expression());
    below = std::max(below, deepest({&all.members.back().first, &all.members.back().second}));
  }
  expect_symbol("}");
  return make(line, std::move(all), below);
}

ExpressionPtr ExpressionParser::postfix(ExpressionPtr object) {
  for (;;) {
    if (current().is_symbol(".") || current().is_symbol("[")) {
      object = subscript(std::move(object));
    } else if (current().is_symbol("(")) {
      object = call(std::move(object));
    } else {
      return object;
    }
  }
}

ExpressionPtr ExpressionParser::filters_and_tests(ExpressionPtr object) {
  for (;;) {
    if (current().is_symbol("|")) {
      object = filters(std::move(object));
    } else if (current().is_name("is")) {
      object = test(std::move(object));
    } else if (current().is_symbol("(")) {
      object = call(std::move(object));
    } else {
      return object;
    }
  }
}

ExpressionPtr ExpressionParser::subscript(ExpressionPtr object) {
  const Token mark = next();
  const int below = object->depth;
  if (mark.text == ".") {
    const Token name = next();
    if (name.type == TokenType::name) {
      return make(mark.line, Attribute{std::move(object), std::make_shared<const std::string>(name.text)}, below);
    }
    if (name.type != TokenType::literal || !name.value.is(Kind::integer)) fail_at(name.line, "expected name or number");
    return make(mark.line, Item{std::move(object), make(name.line, Literal{name.value}, 0)}, below);
  }
  ExpressionPtr begin, end, step;
  if (!current().is_symbol(":")) begin = expression();
  if (!skip_symbol(":")) {
    expect_symbol("]");
    const int deepest_child = deepest({&object, &begin});
    return make(mark.line, Item{std::move(object), std::move(begin)}, deepest_child);
  }
  if (!current().is_symbol("]") && !current().is_symbol(":")) end = expression();
  if (skip_symbol(":") && !current().is_symbol("]")) step = expression();
  expect_symbol("]");
  const int deepest_child = deepest({&object, &begin, &end, &step});
  return make(mark.line, Slice{std::move(object), std::move(begin), std::move(end), std::move(step)}, deepest_child);
}

ExpressionPtr ExpressionParser::call(ExpressionPtr callee) {
  const int line = current().line;
  CallArguments given = arguments();
  const int below = std::max(callee->depth, deepest(given));
  return make(line, Call{std::move(callee), std::move(given)}, below);
}

CallArguments ExpressionParser::arguments() {
  const int line = current().line;
  expect_symbol("(");
  CallArguments given;
  while (!current().is_symbol(")")) {
    const bool any = !given.positional.empty() || !given.named.empty() || given.rest || given.named_rest;
    if (any) expect_symbol(",");
    if (any && current().is_symbol(")")) break;
    const bool plain = !given.rest && !given.named_rest;
    if (!given.named_rest && skip_symbol("**")) {
      given.named_rest = expression();
    } else if (plain && skip_symbol("*")) {
      given.rest = expression();
    } else if (!given.named_rest && current().type == TokenType::name && ahead().is_symbol("=")) {
      Text name = any_name();
      next();
      given.named.emplace_back(std::move(name), expression());
    } else if (plain && given.named.empty()) {
      given.positional.push_back(expression());
    } else {
      fail_at(line, "invalid syntax for function call expression");
    }
  }
  expect_symbol(")");
  return given;
}

std::string ExpressionParser::dotted_name() {
  std::string name = *any_name();
  while (skip_symbol(".")) name += "." + *any_name();
  return name;
}

ExpressionPtr ExpressionParser::filters(ExpressionPtr object, bool inline_start) {
  while (inline_start || skip_symbol("|")) {
    inline_start = false;
    const int line = current().line;
    Filter filter{.object = std::move(object), .name = dotted_name(), .builtin = nullptr, .arguments = {}};
    filter.builtin = find_filter(filter.name);
    if (current().is_symbol("(")) filter.arguments = arguments();
    const int below = std::max(deepest({&filter.object}), deepest(filter.arguments));
    object = make(line, std::move(filter), below);
  }
  return object;
}

CallArguments ExpressionParser::test_arguments() {
  CallArguments given;
  const Token& token = current();
  if (token.is_symbol("(")) return arguments();
  const bool begins =
      token.type == TokenType::name || token.type == TokenType::literal || token.is_symbol("[") || token.is_symbol("{");
  if (!begins || token.is_name("else") || token.is_name("or") || token.is_name("and")) return given;
  if (token.is_name("is")) fail_at(token.line, "You cannot chain multiple tests with is");
  const Nested nested(*this);
  given.positional.push_back(postfix(primary()));
  return given;
}

ExpressionPtr ExpressionParser::test(ExpressionPtr object) {
  const int line = next().line;
  const bool negated = skip_name("not");
  Test test{.object = std::move(object), .name = dotted_name(), .builtin = nullptr, .arguments = {}};
  test.builtin = find_test(test.name);
  test.arguments = test_arguments();
  const int below = std::max(test.object->depth, deepest(test.arguments));
  ExpressionPtr made = make(line, std::move(test), below);
  return negated ? make(line, Not{std::move(made)}, below + 1) : std::move(made);
}

}  // namespace accelerate::text::jinja
