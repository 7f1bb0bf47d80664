// Tokens of short words are remembered: text repeats its words, and a look-up costs less than any model.
#pragma once

#include <cstring>
#include <string_view>
#include <vector>

#include "text/components.hpp"
#include "text/vocabulary.hpp"

namespace accelerate::text {

// Appends the tokens of the word at [begin, end): remembered ones, or those that compute() appends.
template <typename F>
void with_word_cache(Workspace& work, std::string_view text, std::uint32_t begin, std::uint32_t end,
                     std::vector<Token>& out, F&& compute) {
  constexpr std::size_t kSlots = 1U << 14;  // 1 MiB
  const std::size_t length = end - begin;
  if (length > CachedWord::kLongestWord) return compute();
  if (work.words.empty()) work.words.resize(kSlots);
  CachedWord& slot = work.words[hash_bytes(text.substr(begin, length)) & (kSlots - 1)];
  if (slot.length == length && std::memcmp(slot.word.data(), text.data() + begin, length) == 0) {
    std::uint32_t at = begin;
    for (std::size_t i = 0; i < slot.count; ++i) {
      const std::uint32_t stop = begin + slot.ends[i];
      out.push_back({slot.ids[i], at, stop, (slot.spelled >> i & 1U) != 0});
      at = stop;
    }
    return;
  }
  const std::size_t first = out.size();
  compute();
  const std::size_t count = out.size() - first;
  if (count == 0 || count > CachedWord::kMostTokens) return;
  std::uint32_t at = begin;
  for (std::size_t i = 0; i < count; ++i) {
    if (out[first + i].begin != at || out[first + i].end > end) return;  // bytes of one character share their place
    at = out[first + i].end;
  }
  slot.length = static_cast<std::uint8_t>(length);
  slot.count = static_cast<std::uint8_t>(count);
  slot.spelled = 0;
  std::memcpy(slot.word.data(), text.data() + begin, length);
  for (std::size_t i = 0; i < count; ++i) {
    slot.ids[i] = out[first + i].id;
    slot.ends[i] = static_cast<std::uint8_t>(out[first + i].end - begin);
    if (out[first + i].spelled) slot.spelled = static_cast<std::uint8_t>(slot.spelled | 1U << i);
  }
}

}  // namespace accelerate::text
