#include "text/jinja/expression_parser.hpp"

#include <algorithm>

#include "text/jinja/builtins.hpp"

namespace accelerate::text::jinja {
namespace {

constexpr int kMostNesting = 200;

std::string described(const Token& token) {
  switch (token.type) {
    case TokenType::end: return "end of template";
    case TokenType::block_end: return "end of statement block";
    case TokenType::output_end: return "end of print statement";
    case TokenType::data: return "template data";
    case TokenType::literal: return token.value.is(Kind::string) ? token.value.string() : "a number";
    default: return token.text;
  }
}

// The depth of the deepest of them; null ones have none.
int deepest(std::initializer_list<const ExpressionPtr*> all) {
  int depth = 0;
  for (const ExpressionPtr* each : all) depth = std::max(depth, *each ? (*each)->depth : 0);
  return depth;
}

int deepest(const CallArguments& arguments) {
  int depth = deepest({&arguments.rest, &arguments.named_rest});
  for (const ExpressionPtr& each : arguments.positional) depth = std::max(depth, each->depth);
  for (const auto& each : arguments.named) depth = std::max(depth, each.second->depth);
  return depth;
}

std::optional<Comparison> comparison_of(const Token& token) {
  if (token.type != TokenType::symbol) return std::nullopt;
  if (token.text == "==") return Comparison::equal;
  if (token.text == "!=") return Comparison::not_equal;
  if (token.text == "<") return Comparison::less;
  if (token.text == "<=") return Comparison::less_equal;
  if (token.text == ">") return Comparison::greater;
  if (token.text == ">=") return Comparison::greater_equal;
  return std::nullopt;
}

std::optional<Arithmetic> product_of(const Token& token) {
  if (token.is_symbol("*")) return Arithmetic::multiply;
  if (token.is_symbol("/")) return Arithmetic::divide;
  if (token.is_symbol("//")) return Arithmetic::floor_divide;
  if (token.is_symbol("%")) return Arithmetic::modulo;
  return std::nullopt;
}

}  // namespace

template <typename Node>
ExpressionPtr ExpressionParser::make(int line, Node node, int below) {
  expect_depth(below + 1);
  auto made = std::make_unique<Expression>();
  made->line = line;
  made->depth = below + 1;
  made->node = std::move(node);
  return made;
}

void ExpressionParser::expect_depth(int depth) const {
  if (depth > kMostNesting) fail_at(current().line, "nests deeper than " + std::to_string(kMostNesting));
}

void ExpressionParser::fail_at(int line, std::string message) const { throw SyntaxFailure{line, std::move(message)}; }

void ExpressionParser::unexpected(std::string_view expected) const {
  std::string message = "unexpected '" + described(current()) + "'";
  if (!expected.empty()) message = "expected " + std::string(expected) + ", got '" + described(current()) + "'";
  fail_at(current().line, std::move(message));
}

bool ExpressionParser::mentions(std::string_view name, std::size_t from) const {
  const auto first = tokens_.begin();
  return std::any_of(first + static_cast<std::ptrdiff_t>(from), first + static_cast<std::ptrdiff_t>(at_),
                     [&](const Token& token) { return token.is_name(name); });
}

Token ExpressionParser::next() {
  Token token = current();
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool ExpressionParser::skip_name(std::string_view name) {
  const bool found = current().is_name(name);
  if (found) ++at_;
  return found;
}

bool ExpressionParser::skip_symbol(std::string_view symbol) {
  const bool found = current().is_symbol(symbol);
  if (found) ++at_;
  return found;
}

void ExpressionParser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) unexpected("'" + std::string(symbol) + "'");
}

void ExpressionParser::expect_name(std::string_view name) {
  if (!skip_name(name)) unexpected("'" + std::string(name) + "'");
}

Text ExpressionParser::any_name() {
  if (current().type != TokenType::name) unexpected("a name");
  return std::make_shared<const std::string>(next().text);
}

ExpressionPtr ExpressionParser::expression(bool with_condition) {
  const Nested nested(*this);
  return with_condition ? condition() : logic_or();
}

ExpressionPtr ExpressionParser::condition() {
  ExpressionPtr value = logic_or();
  for (int line = current().line; skip_name("if"); line = current().line) {
    ExpressionPtr test = logic_or(), otherwise;
    if (skip_name("else")) otherwise = expression();
    const int below = deepest({&value, &test, &otherwise});
    value = make(line, Conditional{std::move(test), std::move(value), std::move(otherwise)}, below);
  }
  return value;
}

ExpressionPtr ExpressionParser::logic_or() {
  ExpressionPtr left = logic_and();
  for (int line = current().line; skip_name("or"); line = current().line) {
    ExpressionPtr right = logic_and();
    const int below = deepest({&left, &right});
    left = make(line, Logic{false, std::move(left), std::move(right)}, below);
  }
  return left;
}

ExpressionPtr ExpressionParser::logic_and() {
  ExpressionPtr left = negation();
  for (int line = current().line; skip_name("and"); line = current().line) {
    ExpressionPtr right = negation();
    const int below = deepest({&left, &right});
    left = make(line, Logic{true, std::move(left), std::move(right)}, below);
  }
  return left;
}

ExpressionPtr ExpressionParser::negation() {
  const int line = current().line;
  if (!skip_name("not")) return comparison();
  const Nested nested(*this);
  ExpressionPtr operand = negation();
  const int below = operand->depth;
  return make(line, Not{std::move(operand)}, below);
}

ExpressionPtr ExpressionParser::comparison() {
  const int line = current().line;
  Compare compare{.first = sum(), .rest = {}};
  int below = compare.first->depth;
  for (;;) {
    std::optional<Comparison> operation = comparison_of(current());
    if (operation) next();
    if (skip_name("in")) operation = Comparison::in;
    if (!operation && current().is_name("not") && ahead().is_name("in")) {
      next();
      next();
      operation = Comparison::not_in;
    }
    if (!operation) break;
    compare.rest.emplace_back(*operation, sum());
    below = std::max(below, compare.rest.back().second->depth);
  }
  if (compare.rest.empty()) return std::move(compare.first);
  return make(line, std::move(compare), below);
}

ExpressionPtr ExpressionParser::sum() {
  ExpressionPtr left = concatenation();
  while (current().is_symbol("+") || current().is_symbol("-")) {
    const Token sign = next();
    ExpressionPtr right = concatenation();
    const int below = deepest({&left, &right});
    const Arithmetic operation = sign.text == "+" ? Arithmetic::add : Arithmetic::subtract;
    left = make(sign.line, Binary{operation, std::move(left), std::move(right)}, below);
  }
  return left;
}

ExpressionPtr ExpressionParser::concatenation() {
  const int line = current().line;
  Concat concat;
  int below = 0;
  do {
    concat.parts.push_back(product());
    below = std::max(below, concat.parts.back()->depth);
  } while (skip_symbol("~"));
  if (concat.parts.size() == 1) return std::move(concat.parts.front());
  return make(line, std::move(concat), below);
}

ExpressionPtr ExpressionParser::product() {
  ExpressionPtr left = power();
  while (const auto operation = product_of(current())) {
    const int line = next().line;
    ExpressionPtr right = power();
    const int below = deepest({&left, &right});
    left = make(line, Binary{*operation, std::move(left), std::move(right)}, below);
  }
  return left;
}

ExpressionPtr ExpressionParser::power() {
  ExpressionPtr left = unary();
  for (int line = current().line; skip_symbol("**"); line = current().line) {
    ExpressionPtr right = unary();
    const int below = deepest({&left, &right});
    left = make(line, Binary{Arithmetic::power, std::move(left), std::move(right)}, below);
  }
  return left;
}

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
