// The numbers behind text/unicode.hpp: classes as (gap, length) pairs; lower case as (first, last, stride, difference);
// scripts as (gap, length, number).
#pragma once

#include <cstddef>
#include <cstdint>

namespace accelerate::text::tables {

extern const std::uint32_t kSpace[];
extern const std::size_t kSpaceSize;
extern const std::uint32_t kWord[];
extern const std::size_t kWordSize;
extern const std::uint32_t kLetter[];
extern const std::size_t kLetterSize;
extern const std::uint32_t kNumber[];
extern const std::size_t kNumberSize;
extern const std::uint32_t kNumeric[];
extern const std::size_t kNumericSize;
extern const std::uint32_t kPunctuation[];
extern const std::size_t kPunctuationSize;
extern const std::uint32_t kControl[];
extern const std::size_t kControlSize;
extern const std::uint32_t kNonspacingMark[];
extern const std::size_t kNonspacingMarkSize;
extern const std::uint32_t kCombiningMark[];
extern const std::size_t kCombiningMarkSize;
extern const std::uint32_t kCombining[];
extern const std::size_t kCombiningSize;
extern const std::uint32_t kNfd[];
extern const std::size_t kNfdSize;
extern const std::uint32_t kNfkd[];
extern const std::size_t kNfkdSize;
extern const std::uint32_t kNfc[];
extern const std::size_t kNfcSize;
extern const std::uint32_t kNfkc[];
extern const std::size_t kNfkcSize;
extern const std::uint32_t kUpperLike[];
extern const std::size_t kUpperLikeSize;
extern const std::uint32_t kLowerLike[];
extern const std::size_t kLowerLikeSize;
extern const std::int32_t kLower[];
extern const std::size_t kLowerSize;
extern const std::uint32_t kScripts[];
extern const std::size_t kScriptsSize;

}  // namespace accelerate::text::tables
