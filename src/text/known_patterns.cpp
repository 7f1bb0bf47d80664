#include "text/known_patterns.hpp"

#include <array>

namespace accelerate::text {
namespace {

constexpr std::string_view kGpt2 = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100k3 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kCl100k1 =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
constexpr std::string_view kClip =
    R"(<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+)";
constexpr std::string_view kO200k =
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]*[\p{Ll}\p{Lm}\p{Lo}\p{M}]+(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"([^\r\n\p{L}\p{N}]?[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]+[\p{Ll}\p{Lm}\p{Lo}\p{M}]*(?i:'s|'t|'re|'ve|'m|'ll|'d)?|)"
    R"(\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

struct Known {
  KnownPattern pattern;
  std::string_view expression;
};
constexpr std::array<Known, 5> kKnown = {{{KnownPattern::gpt2, kGpt2},
                                          {KnownPattern::cl100k_3, kCl100k3},
                                          {KnownPattern::cl100k_1, kCl100k1},
                                          {KnownPattern::clip, kClip},
                                          {KnownPattern::o200k, kO200k}}};

constexpr std::array<std::uint8_t, 128> make_ascii_kinds() {
  std::array<std::uint8_t, 128> kinds{};
  for (std::size_t c = 0; c < 128; ++c) {
    const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    const bool digit = c >= '0' && c <= '9';
    const bool space = c == ' ' || (c >= 9 && c <= 13);
    kinds[c] = static_cast<std::uint8_t>((letter ? kLetter : 0U) | (digit ? kNumber : 0U) | (space ? kSpace : 0U));
  }
  return kinds;
}
constexpr std::array<std::uint8_t, 128> kAsciiKinds = make_ascii_kinds();
constexpr std::uint32_t kKinds = kLetter | kNumber | kSpace;

class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text), unicode_(Unicode::get()) {}

  std::size_t size() const { return text_.size(); }
  char byte(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }
  // kLetter, kNumber, kSpace, or 0 for anything else; `length` is that of the code point.
  std::uint32_t kind(std::size_t i, std::size_t& length) const {
    const auto c = static_cast<unsigned char>(text_[i]);
    if (c < 128) {
      length = 1;
      return kAsciiKinds[c];
    }
    const Decoded decoded = decode_at(text_, i);
    length = decoded.length;
    return unicode_.classes(decoded.value) & kKinds;
  }
  // End of the run of code points of exactly this kind.
  std::size_t run(std::size_t i, std::uint32_t wanted) const {
    std::size_t length = 0;
    while (i < text_.size() && kind(i, length) == wanted) i += length;
    return i;
  }
  // End of at most `most` numbers.
  std::size_t numbers(std::size_t i, int most) const {
    std::size_t length = 0;
    for (; most > 0 && i < text_.size() && kind(i, length) == kNumber; --most) i += length;
    return i;
  }
  // End of the apostrophe and its ending at i, or i.
  std::size_t contraction(std::size_t i, bool any_case) const {
    if (byte(i) != '\'') return i;
    const auto letter = [&](std::size_t k) {
      const char c = byte(k);
      return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    };
    const char first = letter(i + 1), second = letter(i + 2);
    if (first == 's' || first == 't' || first == 'm' || first == 'd') return i + 2;
    if ((first == 'r' && second == 'e') || (first == 'v' && second == 'e') || (first == 'l' && second == 'l')) {
      return i + 3;
    }
    // The long s folds to s.
    if (any_case && byte(i + 1) == '\xc5' && byte(i + 2) == '\xbf') return i + 3;
    return i;
  }
  // White space at i: all of it at the end of the text or if it is one code point, else all but the last one, which
  // goes with what follows.
  std::size_t spaces(std::size_t i) const {
    const std::size_t end = run(i, kSpace);
    if (end == text_.size()) return end;
    const std::size_t last = previous_start(text_, end);
    return last > i ? last : end;
  }
  // As above, but up to and with the last end of line in it, if there is one.
  std::size_t spaces_or_lines(std::size_t i) const {
    const std::size_t end = run(i, kSpace);
    for (std::size_t k = end; k > i; --k) {
      if (text_[k - 1] == '\n' || text_[k - 1] == '\r') return k;
    }
    return spaces(i);
  }
  std::size_t line_ends(std::size_t i, bool slashes) const {
    while (byte(i) == '\r' || byte(i) == '\n' || (slashes && byte(i) == '/')) ++i;
    return i;
  }
  bool is(std::size_t i, std::uint32_t classes, std::size_t& length) const {
    const Decoded c = decode_at(text_, i);
    length = c.length;
    return unicode_.is(c.value, classes);
  }

 private:
  std::string_view text_;
  const Unicode& unicode_;
};

std::size_t gpt2_end(const Scanner& scan, std::size_t i) {
  const std::size_t ending = scan.contraction(i, false);
  if (ending > i) return ending;
  std::size_t length = 0;
  const std::uint32_t kind = scan.kind(i, length);
  if (kind != kSpace) return scan.run(i + length, kind);
  if (scan.byte(i) == ' ' && i + 1 < scan.size()) {
    std::size_t next_length = 0;
    const std::uint32_t next = scan.kind(i + 1, next_length);
    if (next != kSpace) return scan.run(i + 1 + next_length, next);
  }
  return scan.spaces(i);
}

std::size_t cl100k_end(const Scanner& scan, std::size_t i, int most_numbers) {
  const std::size_t ending = scan.contraction(i, true);
  if (ending > i) return ending;
  std::size_t length = 0;
  const std::uint32_t kind = scan.kind(i, length);
  if (kind == kLetter) return scan.run(i + length, kLetter);
  if (kind == kNumber) return scan.numbers(i, most_numbers);
  std::size_t next_length = 0;
  const std::uint32_t next = i + length < scan.size() ? scan.kind(i + length, next_length) : kSpace;
  const char c = scan.byte(i);
  if (next == kLetter && c != '\r' && c != '\n') return scan.run(i + length, kLetter);
  if (kind == 0) return scan.line_ends(scan.run(i + length, 0), false);
  if (c == ' ' && next == 0) return scan.line_ends(scan.run(i + 1, 0), false);
  return scan.spaces_or_lines(i);
}

// The end of [upper-like]*[lower-like]+ at i, or i where it does not match.
std::size_t o200k_lower_word(const Scanner& scan, std::size_t i) {
  std::size_t length = 0, upper_end = i, last_both = i;
  while (upper_end < scan.size() && scan.is(upper_end, kUpperLike, length)) {
    const bool both = scan.is(upper_end, kLowerLike, length);
    upper_end += length;
    if (both) last_both = upper_end;
  }
  std::size_t end = upper_end;
  while (end < scan.size() && scan.is(end, kLowerLike, length)) end += length;
  // Without a lower-case tail the expression gives back the upper-like run up to its last code point of both classes.
  return end > upper_end ? end : last_both;
}

// The end of [upper-like]+[lower-like]* at i, where the above does not match, or i.
std::size_t o200k_upper_word(const Scanner& scan, std::size_t i) {
  std::size_t length = 0;
  while (i < scan.size() && scan.is(i, kUpperLike, length)) i += length;
  return i;
}

std::size_t o200k_end(const Scanner& scan, std::size_t i) {
  std::size_t length = 0;
  const std::uint32_t kind = scan.kind(i, length);
  const char c = scan.byte(i);
  const bool leads = kind != kLetter && kind != kNumber && c != '\r' && c != '\n';
  const std::size_t inner = i + length;
  for (const auto word : {o200k_lower_word, o200k_upper_word}) {
    if (leads) {
      const std::size_t end = word(scan, inner);
      if (end > inner) return scan.contraction(end, true);
    }
    const std::size_t end = word(scan, i);
    if (end > i) return scan.contraction(end, true);
  }
  if (kind == kNumber) return scan.numbers(i, 3);
  std::size_t next_length = 0;
  const std::uint32_t next = inner < scan.size() ? scan.kind(inner, next_length) : kSpace;
  if (kind == 0) return scan.line_ends(scan.run(inner, 0), true);
  if (c == ' ' && next == 0) return scan.line_ends(scan.run(i + 1, 0), true);
  return scan.spaces_or_lines(i);
}

std::size_t clip_end(const Scanner& scan, std::string_view text, std::size_t i) {
  for (const std::string_view special : {std::string_view("<|startoftext|>"), std::string_view("<|endoftext|>")}) {
    if (text.substr(i, special.size()) == special) return i + special.size();
  }
  const std::size_t ending = scan.contraction(i, false);
  if (ending > i) return ending;
  std::size_t length = 0;
  const std::uint32_t kind = scan.kind(i, length);
  return kind == kNumber ? i + length : scan.run(i + length, kind);
}

template <typename End>
void scan_all(std::string_view text, std::vector<Match>& out, End&& end_of) {
  const Scanner scan(text);
  for (std::size_t i = 0; i < text.size();) {
    const std::size_t end = end_of(scan, i);
    out.push_back({static_cast<std::uint32_t>(i), static_cast<std::uint32_t>(end), true});
    i = end;
  }
}

}  // namespace

KnownPattern recognise_pattern(std::string_view expression) {
  for (const Known& known : kKnown) {
    if (known.expression == expression) return known.pattern;
  }
  return KnownPattern::none;
}

std::string_view expression_of(KnownPattern pattern) {
  for (const Known& known : kKnown) {
    if (known.pattern == pattern) return known.expression;
  }
  return {};
}

void find_known(KnownPattern pattern, std::string_view text, std::vector<Match>& out) {
  switch (pattern) {
    case KnownPattern::none: break;
    case KnownPattern::gpt2: scan_all(text, out, gpt2_end); break;
    case KnownPattern::cl100k_3:
      scan_all(text, out, [](const Scanner& scan, std::size_t i) { return cl100k_end(scan, i, 3); });
      break;
    case KnownPattern::cl100k_1:
      scan_all(text, out, [](const Scanner& scan, std::size_t i) { return cl100k_end(scan, i, 1); });
      break;
    case KnownPattern::clip: {
      const std::size_t first = out.size();
      scan_all(text, out, [&](const Scanner& scan, std::size_t i) { return clip_end(scan, text, i); });
      std::size_t length = 0;
      const Scanner scan(text);
      for (std::size_t k = first; k < out.size(); ++k) out[k].matched = scan.kind(out[k].begin, length) != kSpace;
      break;
    }
    case KnownPattern::o200k: scan_all(text, out, o200k_end); break;
  }
}

}  // namespace accelerate::text
