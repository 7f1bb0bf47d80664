// Numbers between bounds, as digits.
#include <algorithm>
#include <string>

#include "decoding/constraint/json_text.hpp"

namespace accelerate::decoding::constraint {
namespace {

using Magnitude = std::uint64_t;
constexpr Magnitude kLargest = 999'999'999'999'999'999;
constexpr int kMostFraction = 17;

// Values without sign, both included; none when least is above most.
struct Digits {
  Magnitude least = 0, most = 0;
};

Magnitude magnitude(std::int64_t value) {
  return value < 0 ? ~static_cast<Magnitude>(value) + 1 : static_cast<Magnitude>(value);
}

class DigitStates {
 public:
  DigitStates(AutomatonBuilder& builder, StateId to) : builder_(builder), any_{to} {}

  // All lengths that occur, each with its bounds.
  StateId between(Digits range) {
    const StateId from = builder_.state();
    Magnitude low = 0, high = 9;
    while (true) {
      const Magnitude least = std::max(low, range.least), most = std::min(high, range.most);
      if (least <= most) builder_.epsilon(from, both(std::to_string(least), std::to_string(most)));
      if (high >= range.most || high > kLargest) return from;
      low = high + 1;
      high = high * 10 + 9;
    }
  }

 private:
  StateId any(std::size_t count) {
    while (any_.size() <= count) {
      const StateId from = builder_.state();
      builder_.edge(from, '0', '9', any_.back());
      any_.push_back(from);
    }
    return any_[count];
  }
  void digits(StateId from, char first, char last, StateId to) {
    if (first <= last) builder_.edge(from, static_cast<std::uint8_t>(first), static_cast<std::uint8_t>(last), to);
  }
  static char after(char c) { return static_cast<char>(c + 1); }
  static char before(char c) { return static_cast<char>(c - 1); }

  StateId from_least(std::string_view least) {
    if (least.empty()) return any(0);
    const StateId from = builder_.state();
    digits(from, least[0], least[0], from_least(least.substr(1)));
    digits(from, after(least[0]), '9', any(least.size() - 1));
    return from;
  }
  StateId to_most(std::string_view most) {
    if (most.empty()) return any(0);
    const StateId from = builder_.state();
    digits(from, most[0], most[0], to_most(most.substr(1)));
    digits(from, '0', before(most[0]), any(most.size() - 1));
    return from;
  }
  // Of the same length.
  StateId both(std::string_view least, std::string_view most) {
    if (least.empty()) return any(0);
    const StateId from = builder_.state();
    if (least[0] == most[0]) {
      digits(from, least[0], least[0], both(least.substr(1), most.substr(1)));
      return from;
    }
    digits(from, least[0], least[0], from_least(least.substr(1)));
    digits(from, most[0], most[0], to_most(most.substr(1)));
    digits(from, after(least[0]), before(most[0]), any(least.size() - 1));
    return from;
  }

  AutomatonBuilder& builder_;
  std::vector<StateId> any_;  // so many digits of any kind
};

struct Signed {
  std::optional<Digits> negative, positive;  // 0 is positive; of negative ones the magnitudes
};

Signed split(const IntegerRange& range) {
  const std::int64_t largest = static_cast<std::int64_t>(kLargest);
  const std::int64_t most = range.most.value_or(std::max(largest, range.least.value_or(0)));
  const std::int64_t least = range.least.value_or(std::min(-largest, range.most.value_or(0)));
  Signed out;
  if (least > most) return out;
  if (most >= 0) out.positive = Digits{magnitude(std::max<std::int64_t>(least, 0)), magnitude(most)};
  if (least < 0) out.negative = Digits{most < 0 ? magnitude(most) : 1, magnitude(least)};
  return out;
}

// ".0" and longer, or nothing.
StateId whole(AutomatonBuilder& builder, StateId to) {
  StateId zeros = to;
  for (int i = 1; i < kMostFraction; ++i) zeros = builder.either({builder.bytes("0", zeros), to});
  return builder.either({builder.bytes(".0", zeros), to});
}

// A fraction that is not zero; with `any` also a zero or none.
StateId fraction(AutomatonBuilder& builder, StateId to, bool any) {
  StateId digits = to, nonzero = builder.state();
  for (int i = 0; i < kMostFraction; ++i) {
    const StateId next = builder.state();
    builder.edge(next, '1', '9', digits);
    builder.edge(next, '0', '0', any ? digits : nonzero);
    nonzero = next;
    if (i + 1 == kMostFraction) break;
    const StateId more = builder.either({to});
    builder.edge(more, '0', '9', digits);
    digits = more;
  }
  const StateId dot = builder.bytes(".", nonzero);
  return any ? builder.either({dot, to}) : dot;
}

// Magnitudes from least to most; at the two ends fractions that would leave the range, or the end itself, are not
// taken.
StateId magnitudes(AutomatonBuilder& builder, Digits range, bool above, bool below, StateId to) {
  const StateId from = builder.state();
  const auto part = [&](Magnitude least, Magnitude most, StateId behind) {
    if (least <= most) builder.epsilon(from, DigitStates(builder, behind).between({least, most}));
  };
  if (!below && !(above && range.least == range.most)) part(range.most, range.most, whole(builder, to));
  if (range.least >= range.most) return from;
  if (above) part(range.least, range.least, fraction(builder, to, false));
  if (const Magnitude least = range.least + (above ? 1 : 0); least < range.most) {
    part(least, range.most - 1, fraction(builder, to, true));
  }
  return from;
}

}  // namespace

StateId json_integer(AutomatonBuilder& builder, const IntegerRange& range, StateId to) {
  const StateId from = builder.state();
  const Signed parts = split(range);
  if (parts.positive) builder.epsilon(from, DigitStates(builder, to).between(*parts.positive));
  if (parts.negative) {
    builder.epsilon(from, builder.bytes("-", DigitStates(builder, to).between(*parts.negative)));
  }
  return from;
}

StateId json_number(AutomatonBuilder& builder, const IntegerRange& range, bool above, bool below, StateId to) {
  if (!range.least && !range.most) {
    const StateId exponent_digits = builder.state(), sign = builder.state(), behind = builder.either({to});
    const StateId last = builder.either({to});
    builder.edge(last, '0', '9', to);
    builder.edge(exponent_digits, '0', '9', last);
    builder.epsilon(sign, exponent_digits);
    builder.edge(sign, '+', '+', exponent_digits), builder.edge(sign, '-', '-', exponent_digits);
    builder.edge(behind, 'e', 'e', sign), builder.edge(behind, 'E', 'E', sign);
    const StateId digits = DigitStates(builder, fraction(builder, behind, true)).between({0, kLargest});
    return builder.either({digits, builder.bytes("-", digits)});
  }
  const StateId from = builder.state();
  const std::int64_t largest = static_cast<std::int64_t>(kLargest);
  const std::int64_t least = range.least.value_or(std::min(-largest, range.most.value_or(0)));
  const std::int64_t most = range.most.value_or(std::max(largest, range.least.value_or(0)));
  if (least > most) return from;
  if (most >= 0) {
    const bool from_zero = least < 0;
    builder.epsilon(
        from, magnitudes(builder, {from_zero ? 0 : magnitude(least), magnitude(most)}, above && !from_zero, below, to));
  }
  if (least < 0) {
    const bool to_zero = most >= 0;
    // Away from zero is down: the bounds change places. Minus zero is left out.
    builder.epsilon(from, builder.bytes("-", magnitudes(builder, {to_zero ? 0 : magnitude(most), magnitude(least)},
                                                        below || to_zero, above, to)));
  }
  return from;
}

}  // namespace accelerate::decoding::constraint
