// Expressions as states (Thompson 1968), from their end to their beginning.
#include <algorithm>

#include "decoding/constraint/expression.hpp"
#include "decoding/constraint/json_text.hpp"

namespace accelerate::decoding::constraint {
namespace {

StateId emit_repeat(AutomatonBuilder& builder, const Expression& expression, StateId to, Spelling spelling) {
  const Expression& part = expression.parts.front();
  StateId begin = to;
  if (expression.most == Expression::kNoLimit) {
    begin = builder.state();
    builder.epsilon(begin, emit(builder, part, begin, spelling));
    builder.epsilon(begin, to);
  } else {
    for (std::uint32_t i = expression.least; i < expression.most; ++i) {
      const StateId next = emit(builder, part, begin, spelling);
      if (next == begin) break;  // a part that is always empty
      begin = builder.either({next, to});
    }
  }
  for (std::uint32_t i = 0; i < expression.least; ++i) {
    const StateId next = emit(builder, part, begin, spelling);
    if (next == begin) break;
    begin = next;
  }
  return begin;
}

// Empty alternatives are one, and alone they are none: walks would follow each of them.
StateId emit_choice(AutomatonBuilder& builder, const Expression& expression, StateId to, Spelling spelling) {
  std::vector<StateId> starts;
  for (const Expression& part : expression.parts) starts.push_back(emit(builder, part, to, spelling));
  std::ranges::sort(starts);
  starts.erase(std::unique(starts.begin(), starts.end()), starts.end());
  if (starts.size() == 1) return starts.front();
  const StateId from = builder.state();
  for (const StateId start : starts) builder.epsilon(from, start);
  return from;
}

}  // namespace

StateId emit(AutomatonBuilder& builder, const CodePoints& set, StateId to, Spelling spelling) {
  return spelling == Spelling::plain ? builder.one_of(set, to) : json_character(builder, set, to);
}

StateId emit(AutomatonBuilder& builder, const Expression& expression, StateId to, Spelling spelling) {
  switch (expression.kind) {
    case Expression::Kind::set: return emit(builder, expression.set, to, spelling);
    case Expression::Kind::repeat: return emit_repeat(builder, expression, to, spelling);
    case Expression::Kind::sequence: {
      for (std::size_t i = expression.parts.size(); i-- > 0;) to = emit(builder, expression.parts[i], to, spelling);
      return to;
    }
    case Expression::Kind::choice: break;
  }
  return emit_choice(builder, expression, to, spelling);
}

Automaton regex_automaton(std::string_view pattern) {
  AutomatonBuilder builder("regex");
  const RuleId root = builder.rule("regex");
  const StateId from = builder.state();
  for (const Branch& branch : parse_expression(pattern, "regex")) {
    builder.epsilon(from, emit(builder, branch.expression, builder.end_of(root)));
  }
  builder.begin(root, from);
  return builder.finish(root);
}

}  // namespace accelerate::decoding::constraint
