// Regular expressions: the subset that says which texts there are, and none of what searching adds.
//
//   a . [a-z] [^a-z] \d \w \s \D \W \S \p{L} \p{N} \P{..}    \w, \d and \s are of ASCII; . is any but a newline
//   \n \r \t \f \v \0 \xHH \uXXXX \u{X...} \x{X...}, and \ before anything that is no letter or digit
//   (..) (?:..) (?<name>..) (?P<name>..) | ? * + {m} {m,} {m,n}, lazy forms too (they match the same texts)
//   ^ and $ at the ends of the whole, or of its alternatives
//
// Look-around, back references, options, word boundaries and possessive forms are Error{invalid_input}.
#pragma once

#include <cstdint>
#include <limits>
#include <string_view>
#include <vector>

#include "decoding/constraint/automaton.hpp"
#include "decoding/constraint/code_points.hpp"

namespace accelerate::decoding::constraint {

struct Expression {
  enum class Kind : std::uint8_t { set, sequence, choice, repeat };
  static constexpr std::uint32_t kNoLimit = std::numeric_limits<std::uint32_t>::max();

  Kind kind = Kind::sequence;     // of no parts: the empty text
  CodePoints set;                 // one of these
  std::vector<Expression> parts;  // of a repeat one
  std::uint32_t least = 1, most = 1;
};

// An alternative of the whole expression, and whether it is held at the ends of the text.
struct Branch {
  Expression expression;
  bool from_begin = false, to_end = false;
};

// Error{invalid_input} with `where` and the character, counted from 1.
std::vector<Branch> parse_expression(std::string_view pattern, std::string_view where);

// How a text stands in what is generated: as it is, or within a JSON string.
enum class Spelling : std::uint8_t { plain, json };

// The start of states that match the expression and go on at `to`.
StateId emit(AutomatonBuilder& builder, const Expression& expression, StateId to, Spelling spelling = Spelling::plain);
StateId emit(AutomatonBuilder& builder, const CodePoints& set, StateId to, Spelling spelling);

// What texts match the expression as a whole. Error{invalid_input} as above, and when no text does.
Automaton regex_automaton(std::string_view pattern);

}  // namespace accelerate::decoding::constraint
