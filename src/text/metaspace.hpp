// What the Metaspace pre-tokenizer and decoder share, and putting a prefix before splits.
#pragma once

#include <algorithm>
#include <string_view>
#include <utility>

#include "text/components.hpp"

namespace accelerate::text {

enum class PrependScheme : std::uint8_t { always, first, never };

struct MetaspaceRules {
  char32_t replacement = U'\u2581';
  PrependScheme prepend = PrependScheme::always;
  bool split = true;
};

// From its object, old spellings (add_prefix_space) included.
MetaspaceRules metaspace_rules(const Json& json);

// Puts `prefix` before each split that is no added token and for which wants(text) is true; it stands for the split's
// first character.
template <typename Wants>
void prepend_to_splits(Workspace& work, std::string_view prefix, Wants&& wants) {
  const auto takes = [&](const Split& split) {
    return split.token < 0 && split.begin < split.end && wants(work.text.view(split.begin, split.end));
  };
  if (std::none_of(work.splits.begin(), work.splits.end(), takes)) return;
  AlignedText& to = work.other_text;
  to.clear(work.text.tracked());
  for (Split& split : work.splits) {
    const auto begin = static_cast<std::uint32_t>(to.size());
    if (takes(split)) to.append(prefix, to.tracked() ? work.text.origin_of_char(split.begin) : Origin{});
    to.append(work.text, split.begin, split.end);
    split.begin = begin;
    split.end = static_cast<std::uint32_t>(to.size());
  }
  std::swap(work.text, work.other_text);
}

}  // namespace accelerate::text
