#include "decoding/constraint/code_points.hpp"

#include <algorithm>

#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr char32_t kFirstSurrogate = 0xd800, kLastSurrogate = 0xdfff, kLast = 0x10ffff;

CodePoints of_class(std::uint32_t bit) {
  const text::Unicode& unicode = text::Unicode::get();
  std::vector<CodePointRange> found;
  for (char32_t c = 0; c <= kLast; ++c) {
    if (!unicode.is(c, bit)) continue;
    if (!found.empty() && found.back().last + 1 == c) {
      found.back().last = c;
    } else {
      found.push_back({c, c});
    }
  }
  CodePoints set;
  for (const CodePointRange& range : found) set.add(range.first, range.last);
  return set;
}

}  // namespace

CodePoints& CodePoints::add(char32_t first, char32_t last) {
  last = std::min(last, kLast);
  if (first > last) return *this;
  if (first < kFirstSurrogate && last > kLastSurrogate) {
    return add(first, kFirstSurrogate - 1).add(kLastSurrogate + 1, last);
  }
  if (first >= kFirstSurrogate && first <= kLastSurrogate) first = kLastSurrogate + 1;
  if (last >= kFirstSurrogate && last <= kLastSurrogate) last = kFirstSurrogate - 1;
  if (first > last) return *this;
  const bool behind = ranges_.empty() || ranges_.back().last + 1 < first;
  ranges_.push_back({first, last});
  if (!behind) merge();
  return *this;
}

CodePoints& CodePoints::add(const CodePoints& other) {
  ranges_.insert(ranges_.end(), other.ranges_.begin(), other.ranges_.end());
  merge();
  return *this;
}

void CodePoints::merge() {
  std::ranges::sort(ranges_, {}, &CodePointRange::first);
  std::vector<CodePointRange> merged;
  for (const CodePointRange& range : ranges_) {
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  ranges_ = std::move(merged);
}

CodePoints CodePoints::complement() const {
  CodePoints out;
  char32_t next = 0;
  for (const CodePointRange& range : ranges_) {
    if (range.first > next) out.add(next, range.first - 1);
    next = range.last + 1;
  }
  return out.add(next, kLast);
}

CodePoints CodePoints::without(const CodePoints& other) const {
  // What is in neither complement.
  return complement().add(other).complement();
}

bool CodePoints::contains(char32_t c) const {
  const auto after = std::ranges::upper_bound(ranges_, c, {}, &CodePointRange::first);
  return after != ranges_.begin() && c <= std::prev(after)->last;
}

CodePoints digits() { return {'0', '9'}; }

CodePoints word_characters() { return CodePoints('0', '9').add('A', 'Z').add('_', '_').add('a', 'z'); }

CodePoints white_space() { return CodePoints('\t', '\r').add(' ', ' '); }

CodePoints letters() {
  static const CodePoints kLetters = of_class(text::kLetter);
  return kLetters;
}

CodePoints numbers() {
  static const CodePoints kNumbers = of_class(text::kNumber);
  return kNumbers;
}

}  // namespace accelerate::decoding::constraint
