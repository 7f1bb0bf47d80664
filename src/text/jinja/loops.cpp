#include <algorithm>
#include <optional>

#include "text/jinja/operators.hpp"
#include "text/jinja/scopes.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {

// What `loop` tells of.
struct Interpreter::LoopState {
  std::vector<Value> items;
  std::size_t index = 0;
  int depth = 0;
  // What loop.changed was last called with, as text: a value could be the loop itself and keep it alive for ever.
  std::optional<std::string> changed;

  Value attribute(std::string_view name) const;
};

Interpreter::Flow Interpreter::run(const For& loop) {
  run_loop(loop, evaluate(*loop.items), 0);
  return Flow::onward;
}

std::vector<Value> Interpreter::chosen_items(const For& loop, const Value& over) {
  std::vector<Value> items = iterate(over, budget_);
  if (!loop.condition) return items;
  const InnerScope scope(scope_, nullptr);
  std::vector<Value> chosen;
  for (Value& item : items) {
    assign(loop.target, item);
    if (evaluate(*loop.condition).truth()) chosen.push_back(std::move(item));
  }
  return chosen;
}

void Interpreter::run_loop(const For& loop, const Value& over, int depth) {
  static const Text kLoop = std::make_shared<const std::string>("loop");
  const auto state = std::make_shared<LoopState>();
  state->items = chosen_items(loop, over);
  state->depth = depth;
  if (state->items.empty()) {
    const InnerScope scope(scope_, nullptr);
    if (execute(loop.otherwise) != Flow::onward) fail("'break' or 'continue' in the else of a loop");
    return;
  }
  const Value told = loop_value(state, loop);
  for (; state->index < state->items.size(); ++state->index) {
    const InnerScope scope(scope_, nullptr);
    budget_.charge();
    scope_->names.emplace_back(kLoop, told);
    assign(loop.target, state->items[state->index]);
    if (execute(loop.body) == Flow::break_loop) return;
  }
}

Value Interpreter::LoopState::attribute(std::string_view name) const {
  const std::size_t count = items.size();
  if (name == "index") return index + 1;
  if (name == "index0") return index;
  if (name == "revindex") return count - index;
  if (name == "revindex0") return count - index - 1;
  if (name == "first") return index == 0;
  if (name == "last") return index + 1 == count;
  if (name == "length") return count;
  if (name == "depth") return depth + 1;
  if (name == "depth0") return depth;
  if (name == "previtem") return index > 0 ? items[index - 1] : make_undefined("there is no previous item");
  if (name == "nextitem") return index + 1 < count ? items[index + 1] : make_undefined("there is no next item");
  const auto text = std::make_shared<const std::string>(name);
  return Undefined{.name = text, .owner = "jinja2.runtime.LoopContext", .why = Undefined::Why::attribute};
}

Value Interpreter::loop_value(const std::shared_ptr<LoopState>& state, const For& loop) {
  std::uint32_t inner = 0;
  for (const Value& item : state->items) inner = std::max(inner, item.depth());
  Callable made{.name = "LoopContext", .call = {}, .attribute = {}, .depth = depth_around(inner)};
  const std::uint32_t depth = depth_around(made.depth);
  made.attribute = [state, depth](std::string_view name) -> Value {
    if (name == "cycle") {
      return callable(
          "cycle",
          [state](Interpreter&, const Arguments& given) -> Value {
            if (given.positional.empty()) fail("no items for cycling given");
            return given.positional[state->index % given.positional.size()];
          },
          depth);
    }
    if (name != "changed") return state->attribute(name);
    return callable(
        "changed",
        [state](Interpreter& interpreter, const Arguments& given) -> Value {
          const std::string now = repr(make_sequence(given.positional, Sequence::Type::tuple), interpreter.budget());
          const bool same = state->changed == now;
          state->changed = now;
          return !same;
        },
        depth);
  };
  if (loop.recursive) {
    const std::weak_ptr<const Scope> outside = scope_;
    made.call = [state, &loop, outside](Interpreter& interpreter, const Arguments& given) -> Value {
      const auto scope = outside.lock();
      if (given.positional.size() != 1 || !scope) fail("loop() takes one value to loop over");
      const InnerScope inner_scope(interpreter.scope_, scope);
      std::string before = std::exchange(interpreter.out_, {});
      interpreter.run_loop(loop, given.positional[0], state->depth + 1);
      return std::exchange(interpreter.out_, std::move(before));
    };
  }
  return std::make_shared<const Callable>(std::move(made));
}

}  // namespace accelerate::text::jinja
