// Split patterns of well-known tokenizers, scanned by hand; the same pieces as the regular expression gives.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "text/components.hpp"

namespace accelerate::text {

enum class KnownPattern : std::uint8_t {
  none,
  gpt2,      // GPT-2, RoBERTa, Whisper: what ByteLevel splits by
  cl100k_3,  // GPT-4 and Llama 3: numbers in threes
  cl100k_1,  // Qwen2: digits one by one
  clip,      // CLIP: leaves white space out
  o200k,     // GPT-4o: words by letter case, numbers in threes
};

// The pattern that the expression is, letter for letter.
KnownPattern recognise_pattern(std::string_view expression);
// The expression itself, for comparing.
std::string_view expression_of(KnownPattern pattern);

// Matches and, for clip, the white space between them; covers all of `text` (valid UTF-8).
void find_known(KnownPattern pattern, std::string_view text, std::vector<Match>& out);

}  // namespace accelerate::text
