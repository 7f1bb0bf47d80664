// JSON as states: what schemas are made of. RFC 8259, with what lets a model run on without end taken out:
//
//   between values a space or a line break with an indentation of at most 24; none before the first value and behind
//   the last; integers of at most 18 digits, fractions of 17, exponents of 2; no escaped halves of surrogate pairs
#pragma once

#include <cstdint>
#include <optional>

#include "core/json.hpp"
#include "decoding/constraint/automaton.hpp"

namespace accelerate::decoding::constraint {

// One of these characters within a string, escaped where it must be.
StateId json_character(AutomatonBuilder& builder, const CodePoints& set, StateId to);

// From least to most characters in quotes; `most` none for no limit.
StateId json_string(AutomatonBuilder& builder, std::uint32_t least, std::optional<std::uint32_t> most, StateId to);

// Bounds; none for the largest that are written.
struct IntegerRange {
  std::optional<std::int64_t> least, most;
};
StateId json_integer(AutomatonBuilder& builder, const IntegerRange& range, StateId to);
// With a fraction and, where there are no bounds, an exponent. `above` and `below` say that a bound is not one of them.
StateId json_number(AutomatonBuilder& builder, const IntegerRange& range, bool above, bool below, StateId to);

// Rules that are there once, and what is made of them.
class JsonText {
 public:
  explicit JsonText(AutomatonBuilder& builder) : builder_(builder) {}

  // Optional white space between what stands in brackets.
  StateId gap(StateId to);
  // Behind a colon: a space or none.
  StateId colon(StateId to);
  StateId string(StateId to);
  // A name that is none of these, without escapes, in quotes.
  StateId other_name(std::vector<std::string> names, StateId to);
  StateId any_value(StateId to);
  StateId any_object(StateId to);
  StateId any_array(StateId to);
  // This very value, white space aside.
  StateId literal(const Json& value, StateId to);

 private:
  StateId list(StateId item, StateId behind_item, char close, StateId to);
  StateId name_unlike(std::span<const std::string> names, std::size_t prefix, StateId rest, StateId to);
  AutomatonBuilder& builder_;
  std::optional<RuleId> string_, value_;
};

}  // namespace accelerate::decoding::constraint
