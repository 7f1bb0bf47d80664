#include "text/encoding_ops.hpp"

#include <algorithm>

namespace accelerate::text {
namespace {

template <typename T>
void append(std::vector<T>& to, const std::vector<T>& from) {
  to.insert(to.end(), from.begin(), from.end());
}

template <typename T>
std::vector<T> part(const std::vector<T>& all, std::size_t begin, std::size_t end) {
  return {all.begin() + static_cast<std::ptrdiff_t>(begin), all.begin() + static_cast<std::ptrdiff_t>(end)};
}

Encoding slice(const Encoding& all, std::size_t begin, std::size_t end) {
  Encoding out;
  out.ids = part(all.ids, begin, end);
  out.type_ids = part(all.type_ids, begin, end);
  out.tokens = part(all.tokens, begin, end);
  out.offsets = part(all.offsets, begin, end);
  out.word_ids = part(all.word_ids, begin, end);
  out.sequence_ids = part(all.sequence_ids, begin, end);
  out.special_tokens_mask = part(all.special_tokens_mask, begin, end);
  out.attention_mask = part(all.attention_mask, begin, end);
  return out;
}

void merge_into(Encoding& to, const Encoding& from) {
  std::vector<Encoding> overflowing;
  const auto combine = [&](const Encoding& first, const Encoding& second) {
    Encoding both = first;
    both.overflowing.clear();
    append_encoding(both, second);
    overflowing.push_back(std::move(both));
  };
  for (const Encoding& mine : to.overflowing) {
    combine(mine, from);
    for (const Encoding& other : from.overflowing) combine(mine, other);
  }
  for (const Encoding& other : from.overflowing) combine(to, other);
  append_encoding(to, from);
  to.overflowing = std::move(overflowing);
  to.truncated = to.truncated || from.truncated;
}

template <typename T>
void pad(std::vector<T>& values, std::size_t count, const T& value, Side side) {
  values.insert(side == Side::left ? values.begin() : values.end(), count, value);
}

void pad_encoding(Encoding& encoding, std::size_t length, const Padding& padding) {
  for (Encoding& piece : encoding.overflowing) pad_encoding(piece, length, padding);
  if (encoding.ids.size() >= length) return;
  const std::size_t count = length - encoding.ids.size();
  pad(encoding.ids, count, padding.id, padding.side);
  pad(encoding.type_ids, count, padding.type_id, padding.side);
  pad(encoding.tokens, count, padding.token, padding.side);
  pad(encoding.offsets, count, Offset{}, padding.side);
  pad(encoding.word_ids, count, -1, padding.side);
  pad(encoding.sequence_ids, count, -1, padding.side);
  pad(encoding.special_tokens_mask, count, std::uint8_t{1}, padding.side);
  pad(encoding.attention_mask, count, std::uint8_t{0}, padding.side);
}

}  // namespace

void append_encoding(Encoding& to, const Encoding& from) {
  append(to.ids, from.ids);
  append(to.type_ids, from.type_ids);
  append(to.tokens, from.tokens);
  append(to.offsets, from.offsets);
  append(to.word_ids, from.word_ids);
  append(to.sequence_ids, from.sequence_ids);
  append(to.special_tokens_mask, from.special_tokens_mask);
  append(to.attention_mask, from.attention_mask);
}

Encoding merge_encodings(std::vector<Encoding> encodings) {
  if (encodings.size() == 1) return std::move(encodings.front());
  Encoding merged;
  for (const Encoding& encoding : encodings) merge_into(merged, encoding);
  return merged;
}

void check_stride(std::size_t size, std::size_t length, std::size_t stride) {
  if (length == 0 || length >= size || stride < length) return;
  throw Error(ErrorKind::invalid_input,
              "a stride of " + std::to_string(stride) + " with room for " + std::to_string(length) + " tokens of text",
              {}, "the stride must be shorter than max_length without special tokens");
}

void truncate_encoding(Encoding& encoding, std::size_t length, std::size_t stride, Side side) {
  const std::size_t size = encoding.ids.size();
  if (length >= size) return;
  if (length == 0) {
    Encoding rest = std::move(encoding);
    encoding = Encoding();
    encoding.overflowing.push_back(std::move(rest));
    encoding.truncated = true;
    return;
  }
  check_stride(size, length, stride);
  const std::size_t step = length - stride;
  std::vector<Encoding> pieces;
  if (side == Side::right) {
    for (std::size_t begin = 0; begin < size; begin += step) {
      const std::size_t end = std::min(begin + length, size);
      pieces.push_back(slice(encoding, begin, end));
      if (end == size) break;
    }
  } else {
    for (std::size_t end = size; end > 0; end -= std::min(end, step)) {
      const std::size_t begin = end > length ? end - length : 0;
      pieces.push_back(slice(encoding, begin, end));
      if (begin == 0) break;
    }
  }
  encoding = std::move(pieces.front());
  encoding.truncated = true;
  for (std::size_t i = 1; i < pieces.size(); ++i) encoding.overflowing.push_back(std::move(pieces[i]));
}

Lengths truncated_lengths(std::size_t first, std::optional<std::size_t> second, const Truncation& truncation) {
  const std::size_t most = truncation.max_length, total = first + second.value_or(0);
  if (total <= most) return {first, second.value_or(0)};
  if (most == 0) return {0, 0};
  const std::size_t excess = total - most;
  if (truncation.strategy == TruncationStrategy::longest_first) {
    if (!second) return {most, 0};
    std::size_t shorter = std::min(first, *second);
    std::size_t longer = shorter > most ? shorter : std::max(shorter, most - shorter);
    if (shorter + longer > most) {
      shorter = most / 2;
      longer = shorter + most % 2;
    }
    return first > *second ? Lengths{longer, shorter} : Lengths{shorter, longer};
  }
  const bool cut_first = truncation.strategy == TruncationStrategy::only_first;
  if (!cut_first && !second) {
    throw Error(ErrorKind::invalid_input, "only the second text may be truncated, but there is none");
  }
  const std::size_t available = cut_first ? first : *second;
  if (available <= excess) {
    throw Error(ErrorKind::invalid_input,
                "cutting " + std::to_string(excess) + " tokens off a text of " + std::to_string(available) +
                    " leaves nothing of it",
                {}, "use longest_first, or a larger max_length");
  }
  return cut_first ? Lengths{first - excess, second.value_or(0)} : Lengths{first, *second - excess};
}

void truncate_encodings(std::vector<Encoding>& encodings, const Truncation& truncation) {
  std::optional<std::size_t> second;
  if (encodings.size() > 1) second = encodings[1].ids.size();
  const Lengths lengths = truncated_lengths(encodings[0].ids.size(), second, truncation);
  truncate_encoding(encodings[0], lengths.first, truncation.stride, truncation.side);
  if (second) truncate_encoding(encodings[1], lengths.second, truncation.stride, truncation.side);
}

void pad_encodings(std::vector<Encoding>& encodings, const Padding& padding) {
  std::size_t length = padding.fixed.value_or(0);
  if (!padding.fixed) {
    for (const Encoding& encoding : encodings) length = std::max(length, encoding.ids.size());
  }
  if (padding.multiple_of && *padding.multiple_of > 0 && length % *padding.multiple_of > 0) {
    length += *padding.multiple_of - length % *padding.multiple_of;
  }
  for (Encoding& encoding : encodings) pad_encoding(encoding, length, padding);
}

}  // namespace accelerate::text
