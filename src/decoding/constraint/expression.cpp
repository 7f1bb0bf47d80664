#include "decoding/constraint/expression.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "accelerate/error.hpp"
#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr std::size_t kDeepest = 200, kLongest = 1U << 20;
constexpr std::uint32_t kMostTimes = 1'000'000;

Expression of_set(CodePoints set) { return {.kind = Expression::Kind::set, .set = std::move(set)}; }
Expression of_character(char32_t c) { return of_set({c, c}); }

class Parser {
 public:
  Parser(std::string_view pattern, std::string_view where) : where_(where) {
    if (pattern.size() > kLongest) {
      throw Error(ErrorKind::invalid_input, "is longer than " + std::to_string(kLongest) + " bytes",
                  std::string(where));
    }
    if (const std::size_t bad = text::find_invalid_utf8(pattern); bad != std::string::npos) {
      throw Error(ErrorKind::invalid_input, "is no UTF-8 at byte " + std::to_string(bad), std::string(where));
    }
    for (std::size_t i = 0; i < pattern.size();) {
      const text::Decoded one = text::decode_at(pattern, i);
      pattern_.push_back(one.value);
      i += one.length;
    }
  }

  std::vector<Branch> branches() {
    std::vector<Branch> found;
    do {
      Branch branch;
      branch.from_begin = take('^');
      branch.expression = sequence(0);
      branch.to_end = take('$');
      found.push_back(std::move(branch));
    } while (take('|'));
    if (peek() == U')') fail("a ) without its (");
    if (at_ < pattern_.size()) fail("^ and $ stand only at the ends of the expression or of its alternatives");
    return found;
  }

 private:
  static constexpr char32_t kEnd = 0xffffffff;

  char32_t peek(std::size_t ahead = 0) const { return at_ + ahead < pattern_.size() ? pattern_[at_ + ahead] : kEnd; }
  bool take(char32_t c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  [[noreturn]] void fail(const std::string& what) const { fail(what, at_); }
  [[noreturn]] void fail(const std::string& what, std::size_t place) const {
    throw Error(ErrorKind::invalid_input, what + ", at character " + std::to_string(place + 1), std::string(where_));
  }

  Expression choice(std::size_t depth) {
    if (depth > kDeepest) fail("groups nested deeper than " + std::to_string(kDeepest));
    Expression all{.kind = Expression::Kind::choice};
    do {
      all.parts.push_back(sequence(depth));
    } while (take('|'));
    if (all.parts.size() > 1) return all;
    Expression only = std::move(all.parts.front());
    return only;
  }

  Expression sequence(std::size_t depth) {
    Expression all;
    while (at_ < pattern_.size() && peek() != U'|' && peek() != U')') {
      if (peek() == U'$' && depth == 0) break;
      all.parts.push_back(repeated(depth));
    }
    return all;
  }

  Expression repeated(std::size_t depth) {
    Expression part = atom(depth);
    const std::size_t place = at_;
    const auto times = quantifier();
    if (!times) return part;
    if (take('?')) {
      // Lazy: which of several matches is taken, not which texts match.
    } else if (peek() == U'+') {
      fail("possessive quantifiers are not supported");
    }
    const std::size_t behind = at_;
    if (quantifier()) fail("a quantifier behind a quantifier", behind);
    if (times->first > times->second) fail("a quantifier whose least is above its most", place);
    Expression all{.kind = Expression::Kind::repeat, .least = times->first, .most = times->second};
    all.parts.push_back(std::move(part));
    return all;
  }

  // The least and most times, where a quantifier stands here.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> quantifier() {
    if (take('?')) return std::pair(0U, 1U);
    if (take('*')) return std::pair(0U, Expression::kNoLimit);
    if (take('+')) return std::pair(1U, Expression::kNoLimit);
    if (peek() != U'{') return std::nullopt;
    const std::size_t place = at_;
    ++at_;
    const auto least = number();
    std::optional<std::uint32_t> most = least;
    const bool range = take(',');
    if (range) most = peek() == U'}' ? std::optional(Expression::kNoLimit) : number();
    if (least && most && take('}')) return std::pair(*least, *most);
    const bool from_zero = !least && range && peek() == U'}' && most;
    at_ = place;
    if (from_zero) fail("{,n} means different things to different engines: write {0,n}");
    return std::nullopt;  // a brace that stands for itself
  }

  std::optional<std::uint32_t> number() {
    const std::size_t place = at_;
    std::uint32_t value = 0;
    while (peek() >= U'0' && peek() <= U'9') {
      value = value * 10 + static_cast<std::uint32_t>(peek() - U'0');
      if (value > kMostTimes) fail("a count above " + std::to_string(kMostTimes), place);
      ++at_;
    }
    return at_ == place ? std::nullopt : std::optional(value);
  }

  Expression atom(std::size_t depth) {
    const char32_t c = peek();
    switch (c) {
      case U'(': return group(depth);
      case U'[': return of_set(bracket());
      case U'.': ++at_; return of_set(CodePoints('\n', '\n').complement());
      case U'\\': return of_set(escape(false));
      case U'*':
      case U'+':
      case U'?': fail("nothing to repeat");
      case U'^':
      case U'$': fail("^ and $ stand only at the ends of the expression or of its alternatives");
      default: break;
    }
    if (quantifier()) fail("nothing to repeat");
    ++at_;
    return of_character(c);
  }

  Expression group(std::size_t depth) {
    const std::size_t place = at_++;
    if (take('?')) {
      if (take(':')) {
        // no name
      } else if (peek() == U'=' || peek() == U'!' || (peek() == U'<' && (peek(1) == U'=' || peek(1) == U'!'))) {
        fail("look-around is not supported", place);
      } else if (peek() == U'<' || (peek() == U'P' && peek(1) == U'<')) {
        while (at_ < pattern_.size() && !take('>')) ++at_;
      } else {
        fail("groups of the kind (?" + (peek() == kEnd ? std::string() : utf8(peek())) + " are not supported", place);
      }
    }
    Expression inner = choice(depth + 1);
    if (!take(')')) fail("a ( without its )", place);
    return inner;
  }

  static std::string utf8(char32_t c) {
    std::string out;
    text::append_utf8(out, c);
    return out;
  }

  // The items of a bracket, merged once: a long one has many of them, or a large class many times.
  class Items {
   public:
    void add(const CodePoints& set) {
      const auto ranges = set.ranges();
      if (ranges.size() > 1) {
        const auto same = [&](const CodePoints& known) { return std::ranges::equal(known.ranges(), ranges); };
        if (std::ranges::any_of(classes_, same)) return;
        classes_.push_back(set);
      }
      ranges_.insert(ranges_.end(), ranges.begin(), ranges.end());
    }
    CodePoints all() && { return CodePoints(std::move(ranges_)); }

   private:
    std::vector<CodePoints> classes_;  // \w and its like: there are ten
    std::vector<CodePointRange> ranges_;
  };

  CodePoints bracket() {
    const std::size_t place = at_++;
    const bool negated = take('^');
    Items found;
    for (bool first = true; first || peek() != U']'; first = false) {
      if (peek() == kEnd) fail("a [ without its ]", place);
      if (peek() == U'[' && (peek(1) == U':' || peek(1) == U'.' || peek(1) == U'=')) {
        fail("named classes within brackets are not supported");
      }
      const std::size_t item = at_;
      const CodePoints low = one_in_bracket();
      if (peek() != U'-' || peek(1) == U']' || peek(1) == kEnd) {
        found.add(low);
        continue;
      }
      ++at_;
      const CodePoints high = one_in_bracket();
      if (!is_one(low) || !is_one(high)) fail("a range between what is not one character", item);
      if (low.ranges()[0].first > high.ranges()[0].first) fail("a range that ends before it begins", item);
      found.add({low.ranges()[0].first, high.ranges()[0].first});
    }
    ++at_;
    const CodePoints all = std::move(found).all();
    return negated ? all.complement() : all;
  }

  static bool is_one(const CodePoints& set) {
    return set.ranges().size() == 1 && set.ranges()[0].first == set.ranges()[0].last;
  }

  CodePoints one_in_bracket() {
    if (peek() == U'\\') return escape(true);
    const char32_t c = peek();
    ++at_;
    return {c, c};
  }

  CodePoints escape(bool in_bracket) {
    const std::size_t place = at_++;
    const char32_t c = peek();
    if (c == kEnd) fail("a \\ at the end", place);
    ++at_;
    const auto one = [](char32_t value) { return CodePoints(value, value); };
    switch (c) {
      case U'd': return digits();
      case U'D': return digits().complement();
      case U'w': return word_characters();
      case U'W': return word_characters().complement();
      case U's': return white_space();
      case U'S': return white_space().complement();
      case U'p': return property(place);
      case U'P': return property(place).complement();
      case U'n': return one('\n');
      case U'r': return one('\r');
      case U't': return one('\t');
      case U'f': return one('\f');
      case U'v': return one('\v');
      case U'x': return one(code(2, place));
      case U'u': return one(code(4, place));
      case U'0':
        if (peek() < U'0' || peek() > U'9') return one(0);
        fail("octal escapes are not supported", place);
      default: break;
    }
    if (c >= U'1' && c <= U'9') fail("back references are not supported", place);
    if (!in_bracket && c == U'k') fail("back references are not supported", place);
    if ((c | 32) >= U'a' && (c | 32) <= U'z') fail("\\" + utf8(c) + " is not supported", place);
    return one(c);
  }

  CodePoints property(std::size_t place) {
    std::u32string name;
    if (take('{')) {
      while (peek() != U'}' && peek() != kEnd) name += pattern_[at_++];
      ++at_;
    } else if (peek() != kEnd) {
      name = pattern_[at_++];
    }
    if (name == U"L") return letters();
    if (name == U"N") return numbers();
    fail("of the Unicode properties only \\p{L} and \\p{N} are supported", place);
  }

  // Of so many hexadecimal digits, or of any within braces.
  char32_t code(std::size_t count, std::size_t place) {
    const bool braces = take('{');
    char32_t value = 0;
    std::size_t found = 0;
    while (braces ? peek() != U'}' && peek() != kEnd : found < count) {
      const char32_t c = peek();
      const char32_t digit = c >= U'0' && c <= U'9'   ? c - U'0'
                             : c >= U'a' && c <= U'f' ? c - U'a' + 10
                             : c >= U'A' && c <= U'F' ? c - U'A' + 10
                                                      : 16;
      if (digit == 16 || value > 0x10ffff) fail("an escape that is no code point", place);
      value = value * 16 + digit;
      ++found, ++at_;
    }
    if (braces && !take('}')) fail("a { without its }", place);
    if (found == 0 || value > 0x10ffff) fail("an escape that is no code point", place);
    if (value >= 0xd800 && value <= 0xdfff) fail("half of a surrogate pair: write the code point", place);
    return value;
  }

  std::string_view where_;
  std::u32string pattern_;
  std::size_t at_ = 0;
};

}  // namespace

std::vector<Branch> parse_expression(std::string_view pattern, std::string_view where) {
  return Parser(pattern, where).branches();
}

}  // namespace accelerate::decoding::constraint
