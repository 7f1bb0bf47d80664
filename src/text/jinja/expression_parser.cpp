#include "text/jinja/expression_parser.hpp"

#include <algorithm>

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

}  // namespace accelerate::text::jinja
