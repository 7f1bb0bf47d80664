// The parts that automata are put together from.
#include <algorithm>
#include <map>

#include "accelerate/error.hpp"
#include "decoding/constraint/automaton.hpp"

namespace accelerate::decoding::constraint {
namespace {

// About 100 MB.
constexpr std::size_t kMostStates = 1'000'000, kMostEdges = 6'000'000;

}  // namespace

RuleId AutomatonBuilder::rule(std::string name) {
  const StateId end = state();
  ends_[end] = true;
  rules_.push_back({.name = std::move(name), .start = end, .end = end});
  return static_cast<RuleId>(rules_.size() - 1);
}

StateId AutomatonBuilder::state() {
  if (ends_.size() >= kMostStates || edges_.size() >= kMostEdges || epsilons_.size() >= kMostEdges) {
    throw Error(ErrorKind::invalid_input,
                "is too large: it needs more than " + std::to_string(kMostStates) + " states or " +
                    std::to_string(kMostEdges) + " edges",
                where_, "look for large or nested counts of repetitions, and for long enumerations");
  }
  ends_.push_back(false);
  return static_cast<StateId>(ends_.size() - 1);
}

void AutomatonBuilder::edge(StateId from, std::uint8_t first, std::uint8_t last, StateId to) {
  edges_.push_back({from, to, first, last});
}

void AutomatonBuilder::epsilon(StateId from, StateId to) { epsilons_.push_back({from, to}); }

StateId AutomatonBuilder::bytes(std::string_view text, StateId to) {
  for (std::size_t i = text.size(); i-- > 0;) {
    const StateId from = state();
    edge(from, static_cast<std::uint8_t>(text[i]), static_cast<std::uint8_t>(text[i]), to);
    to = from;
  }
  return to;
}

StateId AutomatonBuilder::either(std::initializer_list<StateId> starts) {
  const StateId from = state();
  for (const StateId start : starts) epsilon(from, start);
  return from;
}

StateId AutomatonBuilder::call(RuleId rule, StateId to) {
  const StateId from = state();
  calls_.push_back({from, to, rule});
  return from;
}

// Ranges of code points as ranges of bytes: cut where the length changes and where not all bytes that follow are free.
class AutomatonBuilder::Utf8 {
 public:
  Utf8(AutomatonBuilder& builder, StateId from, StateId to) : builder_(builder), from_(from), to_(to) {}

  void add(char32_t first, char32_t last) {
    constexpr std::array<char32_t, 3> kLengthEnds{0x7f, 0x7ff, 0xffff};
    for (const char32_t end : kLengthEnds) {
      if (first <= end && last > end) {
        add(first, end);
        return add(end + 1, last);
      }
    }
    const std::size_t follow = last <= 0x7f ? 0 : last <= 0x7ff ? 1 : last <= 0xffff ? 2 : 3;
    for (std::size_t i = 1; i <= follow; ++i) {
      const char32_t mask = (char32_t{1} << (6 * i)) - 1;
      if ((first & ~mask) == (last & ~mask)) continue;
      if ((first & mask) != 0) {
        add(first, first | mask);
        return add((first | mask) + 1, last);
      }
      if ((last & mask) != mask) {
        add(first, (last & ~mask) - 1);
        return add(last & ~mask, last);
      }
    }
    add_sequence(first, last, follow);
  }

 private:
  void add_sequence(char32_t first, char32_t last, std::size_t follow) {
    StateId to = to_;
    for (std::size_t i = 0; i < follow; ++i) {
      to = before(static_cast<std::uint8_t>(0x80 | ((first >> (6 * i)) & 63)),
                  static_cast<std::uint8_t>(0x80 | ((last >> (6 * i)) & 63)), to);
    }
    constexpr std::array<std::uint8_t, 4> kLead{0, 0xc0, 0xe0, 0xf0};
    builder_.edge(from_, static_cast<std::uint8_t>(kLead.at(follow) | (first >> (6 * follow))),
                  static_cast<std::uint8_t>(kLead.at(follow) | (last >> (6 * follow))), to);
  }

  // Endings that several ranges share are there once.
  StateId before(std::uint8_t first, std::uint8_t last, StateId to) {
    const auto [place, fresh] = known_.try_emplace({to, first, last}, 0);
    if (fresh) {
      place->second = builder_.state();
      builder_.edge(place->second, first, last, to);
    }
    return place->second;
  }

  AutomatonBuilder& builder_;
  StateId from_, to_;
  std::map<std::array<std::uint32_t, 3>, StateId> known_;
};

StateId AutomatonBuilder::one_of(const CodePoints& set, StateId to) {
  const StateId from = state();
  Utf8 utf8(*this, from, to);
  for (const CodePointRange& range : set.ranges()) utf8.add(range.first, range.last);
  return from;
}

StateId AutomatonBuilder::words(std::vector<std::string> words, StateId to) {
  std::ranges::sort(words);
  words.erase(std::unique(words.begin(), words.end()), words.end());
  return words_between(words, 0, to);
}

// Words in order, that share their first `prefix` bytes.
StateId AutomatonBuilder::words_between(std::span<const std::string> words, std::size_t prefix, StateId to) {
  if (words.empty()) return state();
  const std::string& first = words.front();
  std::size_t shared = prefix;
  while (shared < first.size() && shared < words.back().size() && first[shared] == words.back()[shared]) ++shared;
  const std::string_view beginning = std::string_view(first).substr(prefix, shared - prefix);
  if (words.size() == 1) return bytes(beginning, to);
  const StateId fork = state();
  std::size_t at = 0;
  if (first.size() == shared) {
    epsilon(fork, to);
    ++at;
  }
  while (at < words.size()) {
    std::size_t end = at + 1;
    while (end < words.size() && words[end][shared] == words[at][shared]) ++end;
    const StateId rest = words_between(words.subspan(at, end - at), shared + 1, to);
    const auto byte = static_cast<std::uint8_t>(words[at][shared]);
    edge(fork, byte, byte, rest);
    at = end;
  }
  return bytes(beginning, fork);
}

}  // namespace accelerate::decoding::constraint
