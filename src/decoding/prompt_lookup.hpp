// Guesses from the text itself: what followed the last time that the same tokens came (Saxena 2023, "Prompt lookup
// decoding"). They are right where a text repeats what it was given: summaries, changed code, answers from a document.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace accelerate::decoding {

// At most `most` tokens that followed where the end of `tokens` was before: the longest end of at most `longest`
// tokens that was, and of several places the last. Empty where none was.
std::span<const std::int32_t> looked_up(std::span<const std::int32_t> tokens, std::size_t most,
                                        std::size_t longest = 4);

}  // namespace accelerate::decoding
