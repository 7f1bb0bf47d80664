#include "text/aligned_text.hpp"

#include <algorithm>

namespace accelerate::text {

void AlignedText::assign(std::string_view text, std::uint32_t base, bool tracked) {
  bytes_.assign(text);
  origins_.clear();
  base_ = base;
  tracking_ = tracked ? Tracking::implied : Tracking::none;
}

void AlignedText::clear(bool tracked) { assign({}, 0, tracked); }

Origin AlignedText::origin(std::size_t begin, std::size_t end) const {
  if (tracking_ == Tracking::listed) return {origins_[begin].begin, origins_[end - 1].end};
  // Tokens of bytes may begin or end inside a code point, and stand for all of it.
  while (begin > 0 && (lead(begin) & 0xc0) == 0x80) --begin;
  while (end < bytes_.size() && (lead(end) & 0xc0) == 0x80) ++end;
  return {base_ + static_cast<std::uint32_t>(begin), base_ + static_cast<std::uint32_t>(end)};
}

void AlignedText::list_origins() {
  if (tracking_ != Tracking::implied) return;
  origins_.resize(bytes_.size());
  for (std::size_t i = 0; i < bytes_.size();) {
    const std::size_t length = std::min(utf8_length(lead(i)), bytes_.size() - i);
    const Origin whole{base_ + static_cast<std::uint32_t>(i), base_ + static_cast<std::uint32_t>(i + length)};
    for (std::size_t k = 0; k < length; ++k) origins_[i + k] = whole;
    i += length;
  }
  tracking_ = Tracking::listed;
}

void AlignedText::append(const AlignedText& other, std::size_t begin, std::size_t end) {
  if (begin >= end) return;
  if (tracking_ == Tracking::none) {
    bytes_.append(other.bytes_, begin, end - begin);
    return;
  }
  if (other.tracking_ != Tracking::listed && tracking_ == Tracking::implied) {
    const auto start = static_cast<std::uint32_t>(other.base_ + begin);
    if (bytes_.empty()) base_ = start;
    if (base_ + bytes_.size() == start) {
      bytes_.append(other.bytes_, begin, end - begin);
      return;
    }
  }
  list_origins();
  bytes_.append(other.bytes_, begin, end - begin);
  if (other.tracking_ == Tracking::listed) {
    origins_.insert(origins_.end(), other.origins_.begin() + static_cast<std::ptrdiff_t>(begin),
                    other.origins_.begin() + static_cast<std::ptrdiff_t>(end));
    return;
  }
  for (std::size_t i = begin; i < end;) {
    const std::size_t length = std::min(utf8_length(other.lead(i)), end - i);
    origins_.insert(origins_.end(), length, other.origin(i, i + length));
    i += length;
  }
}

void AlignedText::append(std::string_view text, Origin origin) {
  if (tracking_ != Tracking::none) {
    list_origins();
    origins_.insert(origins_.end(), text.size(), origin);
  }
  bytes_.append(text);
}

void AlignedText::append(char32_t c, Origin origin) {
  if (tracking_ == Tracking::none) {
    append_utf8(bytes_, c);
    return;
  }
  list_origins();
  const std::size_t before = bytes_.size();
  append_utf8(bytes_, c);
  origins_.insert(origins_.end(), bytes_.size() - before, origin);
}

void Rewriter::skip_chars(std::size_t count) {
  for (; count > 0 && position_ < end_; --count) position_ += utf8_length(from_.lead(position_));
}

void Rewriter::put(Change next) {
  Origin origin;
  if (to_.tracked()) {
    if (next.change <= 0 && position_ < end_) {
      origin = from_.origin_of_char(position_);
    } else if (position_ > begin_) {
      origin = from_.origin_of_char(previous_start(from_.view(), position_));
    } else if (begin_ < end_) {
      // Nothing stands before the first code point: an empty range at the start.
      origin = from_.origin_of_char(begin_);
      origin.end = origin.begin;
    }
  }
  if (next.change <= 0) skip_chars(static_cast<std::size_t>(1 - next.change));
  to_.append(next.value, origin);
}

}  // namespace accelerate::text
