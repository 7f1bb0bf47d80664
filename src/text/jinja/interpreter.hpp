// Walks a template's tree and writes its text.
#pragma once

#include <ctime>
#include <string>
#include <vector>

#include "text/jinja/syntax.hpp"

namespace accelerate::text::jinja {

// Variables of one place. Macros see the scope they were defined in, so scopes are shared; a macro does not own its
// scope, because that scope holds the macro.
struct Scope {
  std::vector<std::pair<Text, Value>> names;
  std::shared_ptr<const Scope> parent;

  const Value* find(std::string_view name) const;  // here or further out
  void set(const Text& name, Value value);
};

class Interpreter {
 public:
  // `steps` bounds what the template may do; `now` is what strftime_now says.
  Interpreter(std::vector<std::pair<Text, Value>> variables, std::size_t steps, const std::tm& now);
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;
  ~Interpreter();

  // The text. Failure for what the template does wrong, at line().
  std::string run(const Body& body);
  int line() const { return line_; }

  // For builtins.
  Budget& budget() { return budget_; }
  const std::tm& now() const { return now_; }
  Value call(const Value& callee, const Arguments& arguments);
  std::shared_ptr<Namespace> new_namespace();

 private:
  enum class Flow : std::uint8_t { onward, break_loop, continue_loop };
  class Entered;
  struct LoopState;

  // statements.cpp
  Flow execute(const Body& body);
  Flow execute(const Statement& statement);
  Flow run(const Data& data);
  Flow run(const Output& output);
  Flow run(const If& branches);
  Flow run(const Set& set);
  Flow run(const SetBlock& set);
  Flow run(const With& with);
  Flow run(const Macro& macro);
  Flow run(const CallBlock& block);
  Flow run(const FilterBlock& block);
  Flow run(const Scoped& scoped);
  Flow run(const LoopControl& control);
  void assign(const Target& target, const Value& value);
  std::string text_of(const Body& body);  // in a scope of its own
  void write(std::string_view text);

  // loops.cpp
  Flow run(const For& loop);
  void run_loop(const For& loop, const Value& over, int depth);
  std::vector<Value> chosen_items(const For& loop, const Value& over);
  Value loop_value(const std::shared_ptr<LoopState>& state, const For& loop);

  // macros.cpp
  Value macro_value(const Macro& macro);
  Value call_macro(const Macro& macro, std::shared_ptr<const Scope> scope, const Arguments& arguments);
  void bind_parameters(const Macro& macro, const Arguments& arguments);
  void bind_rest(const Macro& macro, const Arguments& arguments);

  // expressions.cpp
  Value evaluate(const Expression& expression);
  Value value_of(const Literal& literal);
  Value value_of(const Name& name);
  Value value_of(const ListDisplay& list);
  Value value_of(const DictDisplay& dict);
  Value value_of(const Attribute& attribute);
  Value value_of(const Item& item);
  Value value_of(const Slice& slice);
  Value value_of(const Call& call);
  Value value_of(const Filter& filter);
  Value value_of(const Test& test);
  Value value_of(const Not& negation);
  Value value_of(const Signed& sign);
  Value value_of(const Binary& binary);
  Value value_of(const Concat& concat);
  Value value_of(const Logic& logic);
  Value value_of(const Compare& compare);
  Value value_of(const Conditional& conditional);
  bool holds(Comparison comparison, const Value& left, const Value& right);
  Value filtered(const Filter& filter, const Value& object);
  Value filtered_block(const Expression& expression, const Value& text);  // filters of a block's text
  Value called(const Call& call, const Value* caller);
  Arguments evaluated(const CallArguments& arguments);

  Budget budget_;
  std::tm now_;
  std::shared_ptr<Scope> scope_;
  std::vector<std::shared_ptr<Namespace>> namespaces_;  // emptied at the end, because they may hold themselves
  std::string out_;
  int line_ = 1;
  int depth_ = 0;
};

// Counts how deep the interpreter is in itself; Failure before the stack is exhausted.
class Interpreter::Entered {
 public:
  explicit Entered(Interpreter& interpreter) : interpreter_(interpreter) {
    if (++interpreter_.depth_ > kMost) {
      --interpreter_.depth_;
      fail("the template calls itself without end, or nests too deeply");
    }
  }
  Entered(const Entered&) = delete;
  Entered& operator=(const Entered&) = delete;
  ~Entered() { --interpreter_.depth_; }

 private:
  static constexpr int kMost = 800;
  Interpreter& interpreter_;
};

}  // namespace accelerate::text::jinja
