#include "text/jinja/parser.hpp"

#include <algorithm>

#include "text/jinja/expression_parser.hpp"

namespace accelerate::text::jinja {
namespace {

using Names = std::initializer_list<std::string_view>;

class Parser : ExpressionParser {
 public:
  explicit Parser(std::string_view source) : ExpressionParser(tokenize(source)) {}

  Body run() {
    Body body = statements({});
    if (current().type != TokenType::end) unknown_tag();
    return body;
  }

 private:
  // Up to a tag whose name is one of `ends`, which is left current; to the end of the template where there are none.
  Body statements(Names ends);
  // The body of a tag whose own end is current, up to and with its end tag's name, which is returned.
  Body body(Names ends, std::string* found = nullptr);
  void tag(Body& into);
  void end_tag();
  [[noreturn]] void unknown_tag() const;

  Statement if_tag();
  Statement for_tag();
  Statement set_tag();
  Statement with_tag();
  Statement macro_tag();
  Statement call_tag();
  Statement filter_tag();
  Statement block_tag();
  Statement print_tag();
  Target target(bool with_namespace = false, std::string_view end = {});
  Target simple_target(bool with_namespace);
  Parameters parameters();
  Macro macro(Text name, Parameters parameters, Names ends);
};

Body Parser::statements(Names ends) {
  const Nested nested(*this);
  Body all;
  while (current().type != TokenType::end) {
    const int line = current().line;
    if (current().type == TokenType::data) {
      all.push_back({line, Data{next().text}});
    } else if (current().type == TokenType::output_begin) {
      next();
      Output output;
      output.values.push_back(tuple());
      if (current().type != TokenType::output_end) unexpected("end of print statement");
      next();
      all.push_back({line, std::move(output)});
    } else {
      const bool ended = std::any_of(ends.begin(), ends.end(), [&](auto name) { return ahead().is_name(name); });
      if (ended) return all;
      next();
      tag(all);
    }
  }
  return all;
}

void Parser::end_tag() {
  if (current().type != TokenType::block_end) unexpected("end of statement block");
  next();
}

Body Parser::body(Names ends, std::string* found) {
  skip_symbol(":");
  end_tag();
  Body all = statements(ends);
  if (current().type == TokenType::end) {
    fail_at(current().line, "unexpected end of template, expected '" + std::string(*ends.begin()) + "'");
  }
  next();  // {%
  const std::string name = next().text;
  if (found != nullptr) *found = name;
  return all;
}

void Parser::unknown_tag() const {
  if (current().type != TokenType::name) unexpected("a tag's name");
  fail_at(current().line, "Encountered unknown tag '" + current().text + "'.");
}

void Parser::tag(Body& into) {
  const Token name = current();
  const auto is = [&](std::string_view tag) { return name.is_name(tag); };
  if (is("break") || is("continue")) {
    next();
    into.push_back({name.line, LoopControl{name.text == "break"}});
  } else if (is("generation")) {
    next();
    into.push_back({name.line, Scoped{body({"endgeneration"})}});
  } else if (is("include") || is("import") || is("from") || is("extends")) {
    fail_at(name.line, "{% " + name.text + " %} needs another template, and there is none");
  } else {
    using Rule = Statement (Parser::*)();
    constexpr std::pair<std::string_view, Rule> kRules[] = {
        {"if", &Parser::if_tag},         {"for", &Parser::for_tag},     {"set", &Parser::set_tag},
        {"with", &Parser::with_tag},     {"macro", &Parser::macro_tag}, {"call", &Parser::call_tag},
        {"filter", &Parser::filter_tag}, {"block", &Parser::block_tag}, {"print", &Parser::print_tag}};
    const auto* rule =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const auto& each) { return is(each.first); });
    if (rule == std::end(kRules)) unknown_tag();
    into.push_back((this->*rule->second)());
    into.back().line = name.line;
  }
  end_tag();
}

Statement Parser::if_tag() {
  If all;
  std::string found = "elif";
  while (found == "elif") {
    next();
    ExpressionPtr condition = tuple(false);
    Body inside;
    // `elif` leaves its name current for the next round.
    skip_symbol(":");
    end_tag();
    inside = statements({"elif", "else", "endif"});
    if (current().type == TokenType::end) fail_at(current().line, "unexpected end of template, expected 'endif'");
    next();
    found = current().text;
    all.branches.emplace_back(std::move(condition), std::move(inside));
  }
  next();
  if (found == "else") all.otherwise = body({"endif"});
  return {0, std::move(all)};
}

Statement Parser::for_tag() {
  next();
  For loop;
  loop.target = target(false, "in");
  expect_name("in");
  loop.items = tuple(false, "recursive");
  if (skip_name("if")) loop.condition = expression();
  loop.recursive = skip_name("recursive");
  std::string found;
  loop.body = body({"endfor", "else"}, &found);
  if (found == "else") loop.otherwise = body({"endfor"});
  return {0, std::move(loop)};
}

Statement Parser::set_tag() {
  next();
  Target to = target(true);
  if (skip_symbol("=")) return {0, Set{std::move(to), tuple()}};
  ExpressionPtr filter = filters(nullptr);
  return {0, SetBlock{std::move(to), std::move(filter), body({"endset"})}};
}

Statement Parser::with_tag() {
  next();
  With with;
  while (current().type != TokenType::block_end) {
    if (!with.assignments.empty()) expect_symbol(",");
    Target to = target();
    expect_symbol("=");
    with.assignments.emplace_back(std::move(to), expression());
  }
  with.body = body({"endwith"});
  return {0, std::move(with)};
}

Parameters Parser::parameters() {
  Parameters all;
  expect_symbol("(");
  while (!current().is_symbol(")")) {
    if (!all.names.empty()) expect_symbol(",");
    all.names.push_back(any_name());
    if (skip_symbol("=")) {
      all.defaults.push_back(expression());
    } else if (!all.defaults.empty()) {
      fail_at(current().line, "non-default argument follows default argument");
    }
  }
  expect_symbol(")");
  return all;
}

Macro Parser::macro(Text name, Parameters parameters, Names ends) {
  const std::size_t from = position();
  Macro made{.name = std::move(name), .parameters = std::move(parameters), .body = body(ends)};
  made.takes_rest = mentions("varargs", from);
  made.takes_named_rest = mentions("kwargs", from);
  return made;
}

Statement Parser::macro_tag() {
  next();
  Text name = any_name();
  Parameters accepted = parameters();
  return {0, macro(std::move(name), std::move(accepted), {"endmacro"})};
}

Statement Parser::call_tag() {
  const int line = next().line;
  Parameters accepted;
  if (current().is_symbol("(")) accepted = parameters();
  ExpressionPtr call = expression();
  if (!std::holds_alternative<Call>(call->node)) fail_at(line, "expected call");
  return {0, CallBlock{std::move(call),
                       macro(std::make_shared<const std::string>("caller"), std::move(accepted), {"endcall"})}};
}

Statement Parser::filter_tag() {
  next();
  ExpressionPtr filter = filters(nullptr, true);
  return {0, FilterBlock{std::move(filter), body({"endfilter"})}};
}

Statement Parser::block_tag() {
  next();
  const Text name = any_name();
  skip_name("scoped");
  skip_name("required");
  Body inside = body({"endblock"});
  skip_name(*name);
  return {0, Scoped{std::move(inside)}};
}

Statement Parser::print_tag() {
  next();
  Output output;
  while (current().type != TokenType::block_end) {
    if (!output.values.empty()) expect_symbol(",");
    output.values.push_back(expression());
  }
  return {0, std::move(output)};
}

Target Parser::simple_target(bool with_namespace) {
  if (skip_symbol("(")) {
    Target inside = target(with_namespace);
    expect_symbol(")");
    return inside;
  }
  Target to{.name = any_name(), .attribute = nullptr, .unpacked = std::nullopt};
  for (const std::string_view constant : {"true", "false", "none", "True", "False", "None"}) {
    if (*to.name == constant) fail_at(current().line, "can't assign to 'const'");
  }
  if (with_namespace && skip_symbol(".")) to.attribute = any_name();
  return to;
}

Target Parser::target(bool with_namespace, std::string_view end) {
  const Nested nested(*this);
  std::vector<Target> all;
  bool comma = false;
  do {
    const bool over = current().type == TokenType::block_end || current().is_symbol(")") || current().is_symbol("=") ||
                      (!end.empty() && current().is_name(end));
    if (over && comma) break;
    all.push_back(simple_target(with_namespace));
    comma = comma || current().is_symbol(",");
  } while (skip_symbol(","));
  if (!comma) return std::move(all.front());
  return {.name = nullptr, .attribute = nullptr, .unpacked = std::move(all)};
}

}  // namespace

Body parse(std::string_view source) { return Parser(source).run(); }

}  // namespace accelerate::text::jinja
