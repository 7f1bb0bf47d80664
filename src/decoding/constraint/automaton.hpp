// Which byte sequences are allowed: states with edges over bytes, grouped in rules that call one another. Without calls
// it is a finite automaton, with them a push-down automaton (a recursive transition network, Woods 1970).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "decoding/constraint/code_points.hpp"

namespace accelerate::decoding::constraint {

using StateId = std::uint32_t;
using RuleId = std::uint32_t;

// A state of a rule, and what goes on behind the rule: a node of Machine's stacks, else unused.
struct Thread {
  StateId state = 0;
  std::uint32_t node = 0;
  auto operator<=>(const Thread&) const = default;  // NOLINT(modernize-use-nullptr): of the code that clang 14 makes
};

// Immutable. Only what can be completed is in it: every state reaches the end of its rule.
class Automaton {
 public:
  struct Edge {
    std::uint8_t first = 0, last = 0;  // classes of bytes
    StateId to = 0;
  };
  struct Call {
    RuleId rule = 0;
    StateId to = 0;  // where it goes on behind the rule
  };

  std::span<const Edge> edges(StateId state) const {
    return part(edges_, states_[state].edges, states_[state + 1].edges);
  }
  std::span<const StateId> epsilons(StateId state) const {
    return part(epsilons_, states_[state].epsilons, states_[state + 1].epsilons);
  }
  std::span<const Call> calls(StateId state) const {
    return part(calls_, states_[state].calls, states_[state + 1].calls);
  }
  bool ends(StateId state) const { return states_[state].ends; }
  StateId start(RuleId rule) const { return rules_[rule].start; }
  // A rule calls at its beginning only rules of higher rank.
  std::uint32_t rank(RuleId rule) const { return rules_[rule].rank; }
  RuleId root() const { return root_; }
  std::size_t states() const { return states_.size() - 1; }
  std::size_t bytes() const;

  // Bytes that no edge tells apart are of one class; classes are in the order of bytes.
  std::uint8_t class_of(std::uint8_t byte) const { return class_of_[byte]; }
  std::size_t classes() const { return class_of_[255] + std::size_t{1}; }

 private:
  friend class AutomatonBuilder;
  struct State {
    std::uint32_t edges = 0, epsilons = 0, calls = 0;  // where its own begin
    bool ends = false;
  };
  struct Rule {
    StateId start = 0;
    std::uint32_t rank = 0;
  };
  template <typename T>
  static std::span<const T> part(const std::vector<T>& all, std::uint32_t begin, std::uint32_t end) {
    return std::span(all).subspan(begin, end - begin);
  }

  std::vector<State> states_;  // and one past the last
  std::vector<Edge> edges_;
  std::vector<StateId> epsilons_;
  std::vector<Call> calls_;
  std::vector<Rule> rules_;
  std::array<std::uint8_t, 256> class_of_{};
  RuleId root_ = 0;
};

// Put together from the end: each part is told the state that follows it and gives the one that begins it, so that what
// follows several parts is there once.
class AutomatonBuilder {
 public:
  // `where` names the expression or schema in errors.
  explicit AutomatonBuilder(std::string where) : where_(std::move(where)) {}

  // `name` is for errors. A rule begins nowhere, and matches nothing, until begin() is told.
  RuleId rule(std::string name);
  StateId end_of(RuleId rule) const { return rules_[rule].end; }
  void begin(RuleId rule, StateId start) { rules_[rule].start = start, rules_[rule].begins = true; }

  // Error{invalid_input} when there are too many.
  StateId state();
  void edge(StateId from, std::uint8_t first, std::uint8_t last, StateId to);
  void epsilon(StateId from, StateId to);

  StateId bytes(std::string_view text, StateId to);
  // One code point in UTF-8.
  StateId one_of(const CodePoints& set, StateId to);
  StateId either(std::initializer_list<StateId> starts);
  // One of these words; shared beginnings are there once.
  StateId words(std::vector<std::string> words, StateId to);
  StateId call(RuleId rule, StateId to);

  std::size_t states() const { return ends_.size(); }
  // Whether the rule can come to an end. Costs as much as the automaton is large.
  std::vector<bool> rules_that_end() const;
  // Error{invalid_input} naming a rule that calls itself before any byte, or when `root` matches nothing.
  Automaton finish(RuleId root) const;

 private:
  struct ByteEdge {
    StateId from = 0, to = 0;
    std::uint8_t first = 0, last = 0;
  };
  struct Epsilon {
    StateId from = 0, to = 0;
  };
  struct Calling {
    StateId from = 0, to = 0;
    RuleId rule = 0;
  };
  struct Rule {
    std::string name;
    StateId start = 0, end = 0;
    bool begins = false;
  };
  class Utf8;
  StateId words_between(std::span<const std::string> words, std::size_t prefix, StateId to);
  std::vector<bool> live() const;
  std::vector<std::uint32_t> ranks(const Automaton& automaton) const;
  void set_classes(Automaton& automaton) const;

  std::string where_;
  std::vector<bool> ends_;  // of each state
  std::vector<ByteEdge> edges_;
  std::vector<Epsilon> epsilons_;
  std::vector<Calling> calls_;
  std::vector<Rule> rules_;
};

}  // namespace accelerate::decoding::constraint
