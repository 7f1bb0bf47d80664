// How matches of a pattern become splits.
#pragma once

#include <string_view>
#include <vector>

#include "text/components.hpp"

namespace accelerate::text {

enum class SplitBehavior : std::uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext" or "Contiguous"; Error{corrupted} otherwise.
SplitBehavior split_behavior(std::string_view name);

// Appends the splits that `matches` (covering a split that begins at `base`) make; empty ones are left out.
void append_splits(const std::vector<Match>& matches, SplitBehavior behavior, std::uint32_t base,
                   std::vector<Split>& out);

}  // namespace accelerate::text
