// How matches of a pattern become splits, and what pre-tokenizers share.
#pragma once

#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "text/components.hpp"

namespace accelerate::text {

enum class SplitBehavior : std::uint8_t { removed, isolated, merged_with_previous, merged_with_next, contiguous };

// "Removed", "Isolated", "MergedWithPrevious", "MergedWithNext" or "Contiguous"; Error{corrupted} otherwise.
SplitBehavior split_behavior(std::string_view name);

// Appends the splits that `matches` (covering a split that begins at `base`) make; empty ones are left out.
void append_splits(const std::vector<Match>& matches, SplitBehavior behavior, std::uint32_t base,
                   std::vector<Split>& out);

// Calls split(text, begin, end) for each split that is no added token; it appends to work.other_splits.
template <typename F>
void for_each_split(Workspace& work, F&& split) {
  work.other_splits.clear();
  const std::string_view text = work.text.view();
  for (const Split& part : work.splits) {
    if (part.token >= 0) {
      work.other_splits.push_back(part);
    } else {
      split(text.substr(part.begin, part.end - part.begin), part.begin);
    }
  }
  std::swap(work.splits, work.other_splits);
}

// The pre-tokenizers that rewrite the text.
std::unique_ptr<PreTokenizer> make_byte_level(const Json& json);
std::unique_ptr<PreTokenizer> make_metaspace(const Json& json);

}  // namespace accelerate::text
