// The half of the parser that reads expressions; statements build on it.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "text/jinja/lexer.hpp"
#include "text/jinja/syntax.hpp"

namespace accelerate::text::jinja {

// The depth of the deepest of them; null ones have none.
int deepest(std::initializer_list<const ExpressionPtr*> all);
int deepest(const CallArguments& arguments);

class ExpressionParser {
 protected:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  // Counts how deep the grammar's own recursion is.
  class Nested {
   public:
    explicit Nested(ExpressionParser& parser) : parser_(parser) { parser.expect_depth(++parser.nesting_); }
    Nested(const Nested&) = delete;
    Nested& operator=(const Nested&) = delete;
    ~Nested() { --parser_.nesting_; }

   private:
    ExpressionParser& parser_;
  };

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  std::size_t position() const { return at_; }
  // Whether the name stands anywhere between a position and the present one.
  bool mentions(std::string_view name, std::size_t from) const;
  Token next();
  bool skip_name(std::string_view name);
  bool skip_symbol(std::string_view symbol);
  void expect_symbol(std::string_view symbol);
  void expect_name(std::string_view name);
  Text any_name();
  [[noreturn]] void fail_at(int line, std::string message) const;
  [[noreturn]] void unexpected(std::string_view expected) const;

  ExpressionPtr expression(bool with_condition = true);
  // One expression, or a tuple where commas follow. It may end before the name `end`.
  ExpressionPtr tuple(bool with_condition = true, std::string_view end = {}, bool parenthesised = false);
  // |name(arguments)...; `inline_start` where the first name stands without its bar.
  ExpressionPtr filters(ExpressionPtr object, bool inline_start = false);

 private:
  // An expression around others of which the deepest is `below`.
  template <typename Node>
  ExpressionPtr make(int line, Node node, int below) {
    expect_depth(below + 1);
    auto made = std::make_unique<Expression>();
    made->line = line;
    made->depth = below + 1;
    made->node = std::move(node);
    return made;
  }
  void expect_depth(int depth) const;
  bool at_tuple_end(std::string_view end) const;

  ExpressionPtr condition();
  ExpressionPtr logic_or();
  ExpressionPtr logic_and();
  ExpressionPtr negation();
  ExpressionPtr comparison();
  ExpressionPtr sum();
  ExpressionPtr concatenation();
  ExpressionPtr product();
  ExpressionPtr power();
  ExpressionPtr unary(bool with_filters = true);
  ExpressionPtr primary();
  ExpressionPtr list();
  ExpressionPtr dict();
  ExpressionPtr postfix(ExpressionPtr object);
  ExpressionPtr filters_and_tests(ExpressionPtr object);
  ExpressionPtr subscript(ExpressionPtr object);
  ExpressionPtr call(ExpressionPtr callee);
  ExpressionPtr test(ExpressionPtr object);
  CallArguments arguments();
  CallArguments test_arguments();
  std::string dotted_name();

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  int nesting_ = 0;
};

}  // namespace accelerate::text::jinja
