#include "decoding/prompt_lookup.hpp"

#include <algorithm>

namespace accelerate::decoding {

std::span<const std::int32_t> looked_up(std::span<const std::int32_t> tokens, std::size_t most, std::size_t longest) {
  std::size_t best = 0, begin = 0;  // how many tokens before `begin` are as those at the end
  for (std::size_t next = tokens.size(); next-- > 1 && best < longest;) {
    const std::size_t compared = std::min(longest, next);
    std::size_t same = 0;
    while (same < compared && tokens[next - 1 - same] == tokens[tokens.size() - 1 - same]) ++same;
    if (same > best) best = same, begin = next;
  }
  if (best == 0) return {};
  return tokens.subspan(begin, std::min(most, tokens.size() - begin));
}

}  // namespace accelerate::decoding
