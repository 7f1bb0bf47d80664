#include "text/jinja/template.hpp"

#include "text/jinja/interpreter.hpp"
#include "text/jinja/lexer.hpp"
#include "text/jinja/parser.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

std::tm local_time() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  return local;
}

std::vector<std::pair<Text, Value>> variables_of(const Json& json) {
  const Value all = Value::from_json(json);
  if (!all.is(Kind::dict)) fail("a template's variables are an object, not " + std::string(json.kind_name()));
  std::vector<std::pair<Text, Value>> variables;
  for (const auto& member : all.dict().members) variables.emplace_back(member.first.text(), member.second);
  return variables;
}

std::string place(const std::string& name, int line) { return name + ":" + std::to_string(line); }

}  // namespace

struct Template::State {
  std::string name, source;
  Body body;
};

Template Template::parse(std::string_view source, std::string name) {
  if (const std::size_t at = find_invalid_utf8(source); at != std::string_view::npos) {
    throw Error(ErrorKind::corrupted, "the template is no UTF-8 at byte " + std::to_string(at), std::move(name));
  }
  try {
    Body body = jinja::parse(source);
    return Template(std::make_shared<const State>(State{std::move(name), std::string(source), std::move(body)}));
  } catch (const SyntaxFailure& failure) {
    throw Error(ErrorKind::corrupted, failure.message, place(name, failure.line));
  } catch (const Failure& failure) {
    throw Error(ErrorKind::corrupted, failure.message, name);
  }
}

std::string Template::render(const Json& variables, const RenderOptions& options) const {
  int line = 1;
  try {
    Interpreter interpreter(variables_of(variables), options.most_steps, options.now.value_or(local_time()));
    try {
      return interpreter.run(state_->body);
    } catch (const Failure&) {
      line = interpreter.line();
      throw;
    }
  } catch (const Failure& failure) {
    throw Error(failure.kind, failure.message, place(state_->name, line));
  }
}

const std::string& Template::source() const { return state_->source; }

}  // namespace accelerate::text::jinja
