#include "text/pre_tokenizers.hpp"

#include <algorithm>
#include <array>

#include "text/known_patterns.hpp"
#include "text/regex.hpp"

namespace accelerate::text {

SplitBehavior split_behavior(std::string_view name) {
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  throw Error(ErrorKind::corrupted, "unknown behavior \"" + std::string(name) + "\"", "behavior");
}

void append_splits(const std::vector<Match>& matches, SplitBehavior behavior, std::uint32_t base,
                   std::vector<Split>& out) {
  const auto add = [&](std::uint32_t begin, std::uint32_t end) {
    if (begin < end) out.push_back({base + begin, base + end});
  };
  if (behavior == SplitBehavior::removed || behavior == SplitBehavior::isolated) {
    for (const Match& match : matches) {
      if (behavior == SplitBehavior::isolated || !match.matched) add(match.begin, match.end);
    }
    return;
  }
  if (behavior == SplitBehavior::merged_with_next) {
    // From the end, so that a match joins what was seen before, which is what follows it.
    const std::size_t first = out.size();
    std::vector<Match> merged;
    bool previous = false;
    // clang 14 cannot read the standard library's reversed views.
    for (auto match = matches.rbegin(); match != matches.rend(); ++match) {  // NOLINT(modernize-loop-convert)
      if (match->matched && !previous && !merged.empty()) {
        merged.back().begin = match->begin;
      } else {
        merged.push_back(*match);
      }
      previous = match->matched;
    }
    for (const Match& match : merged) add(match.begin, match.end);
    std::reverse(out.begin() + static_cast<std::ptrdiff_t>(first), out.end());
    return;
  }
  Match open{};
  bool have = false, previous = false;
  for (const Match& match : matches) {
    const bool joins = behavior == SplitBehavior::contiguous ? match.matched == previous : match.matched && !previous;
    if (have && joins) {
      open.end = match.end;
    } else {
      if (have) add(open.begin, open.end);
      open = match;
      have = true;
    }
    previous = match.matched;
  }
  if (have) add(open.begin, open.end);
}

namespace {

constexpr std::uint32_t ascii_class(unsigned char c) {
  std::uint32_t classes = 0;
  if (c == ' ' || (c >= 9 && c <= 13)) classes |= kSpace;
  if ((c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~')) {
    classes |= kPunctuation;
  }
  if (c >= '0' && c <= '9') classes |= kNumeric;
  if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_') classes |= kWord;
  return classes;
}
constexpr std::array<std::uint8_t, 128> make_ascii_classes() {
  std::array<std::uint8_t, 128> all{};
  for (std::size_t c = 0; c < 128; ++c) all[c] = static_cast<std::uint8_t>(ascii_class(static_cast<unsigned char>(c)));
  return all;
}
// kSpace, kWord, kNumeric and kPunctuation of ASCII; they fit a byte.
constexpr std::array<std::uint8_t, 128> kAsciiClasses = make_ascii_classes();

struct Classified {
  std::uint32_t classes;
  std::uint32_t length;
};
Classified classify(std::string_view text, std::size_t i, const Unicode& unicode) {
  const auto c = static_cast<unsigned char>(text[i]);
  if (c < 128) return {kAsciiClasses[c], 1};
  const Decoded decoded = decode_at(text, i);
  return {unicode.classes(decoded.value), decoded.length};
}

// Splits at white space, and around each punctuation character where asked.
class WordSplit final : public PreTokenizer {
 public:
  explicit WordSplit(bool punctuation) : punctuation_(punctuation) {}
  void apply(Workspace& work) const override {
    const Unicode& unicode = Unicode::get();
    const std::uint32_t stops = kSpace | (punctuation_ ? kPunctuation : 0U);
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      std::size_t begin = 0;
      const auto add = [&](std::size_t from, std::size_t to) {
        if (from < to) {
          work.other_splits.push_back({base + static_cast<std::uint32_t>(from), base + static_cast<std::uint32_t>(to)});
        }
      };
      for (std::size_t i = 0; i < text.size();) {
        const Classified c = classify(text, i, unicode);
        if ((c.classes & stops) != 0) {
          add(begin, i);
          if ((c.classes & kSpace) == 0) add(i, i + c.length);
          begin = i + c.length;
        }
        i += c.length;
      }
      add(begin, text.size());
    });
  }

 private:
  bool punctuation_;
};

// Splits where a code point's class decides, by any behavior.
template <typename Matches>
class CharSplit final : public PreTokenizer {
 public:
  CharSplit(Matches matches, SplitBehavior behavior) : matches_(std::move(matches)), behavior_(behavior) {}
  void apply(Workspace& work) const override {
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      work.matches.clear();
      std::uint32_t begin = 0;
      for (std::uint32_t i = 0; i < text.size();) {
        const Decoded c = decode_at(text, i);
        if (matches_(c.value)) {
          if (begin < i) work.matches.push_back({begin, i, false});
          work.matches.push_back({i, i + c.length, true});
          begin = i + c.length;
        }
        i += c.length;
      }
      if (begin < text.size()) work.matches.push_back({begin, static_cast<std::uint32_t>(text.size()), false});
      append_splits(work.matches, behavior_, base, work.other_splits);
    });
  }

 private:
  Matches matches_;
  SplitBehavior behavior_;
};

template <typename Matches>
std::unique_ptr<PreTokenizer> char_split(Matches matches, SplitBehavior behavior) {
  return std::make_unique<CharSplit<Matches>>(std::move(matches), behavior);
}

// \w+|[^\w\s]+
class WhitespaceWords final : public PreTokenizer {
 public:
  void apply(Workspace& work) const override {
    const Unicode& unicode = Unicode::get();
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      for (std::size_t i = 0; i < text.size();) {
        const Classified first = classify(text, i, unicode);
        const std::uint32_t kind = first.classes & (kWord | kSpace);
        std::size_t end = i + first.length;
        while (end < text.size()) {
          const Classified c = classify(text, end, unicode);
          if ((c.classes & (kWord | kSpace)) != kind) break;
          end += c.length;
        }
        if ((kind & kSpace) == 0) {
          work.other_splits.push_back({base + static_cast<std::uint32_t>(i), base + static_cast<std::uint32_t>(end)});
        }
        i = end;
      }
    });
  }
};

class PatternSplit final : public PreTokenizer {
 public:
  explicit PatternSplit(const Json& json)
      : pattern_(json.at("pattern")),
        known_(recognise_pattern(pattern_.expression())),
        behavior_(split_behavior(json.at("behavior").as_string())),
        invert_(bool_or(json, "invert", false)) {}
  void apply(Workspace& work) const override {
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      work.matches.clear();
      if (known_ != KnownPattern::none) {
        find_known(known_, text, work.matches);
      } else {
        pattern_.find_all(text, work.matches);
      }
      if (invert_) {
        for (Match& match : work.matches) match.matched = !match.matched;
      }
      append_splits(work.matches, behavior_, base, work.other_splits);
    });
  }

 private:
  Pattern pattern_;
  KnownPattern known_;
  SplitBehavior behavior_;
  bool invert_;
};

class FixedLength final : public PreTokenizer {
 public:
  explicit FixedLength(std::int64_t length) : length_(length) {
    if (length < 1)
      throw Error(ErrorKind::corrupted, "found " + std::to_string(length) + ", expected at least 1", "length");
  }
  void apply(Workspace& work) const override {
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      std::uint32_t begin = 0;
      std::int64_t count = 0;
      for (std::uint32_t i = 0; i < text.size();) {
        i += static_cast<std::uint32_t>(utf8_length(static_cast<unsigned char>(text[i])));
        if (++count == length_ || i >= text.size()) {
          work.other_splits.push_back({base + begin, base + i});
          begin = i;
          count = 0;
        }
      }
    });
  }

 private:
  std::int64_t length_;
};

class UnicodeScripts final : public PreTokenizer {
 public:
  void apply(Workspace& work) const override {
    const Unicode& unicode = Unicode::get();
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      // Code points without a script, and what stands before the first one that has one, begin no split; a split
      // that would begin there is dropped, as the reference drops it.
      std::uint32_t last = 0;
      std::optional<std::uint32_t> begin;
      bool any = false;
      for (std::uint32_t i = 0; i < text.size();) {
        const Decoded c = decode_at(text, i);
        const std::uint32_t script = unicode.script(c.value);
        if (script != 0 && (!any || script != last)) {
          if (begin) work.other_splits.push_back({base + *begin, base + i});
          begin = i;
        }
        if (script != 0) {
          last = script;
          any = true;
        }
        i += c.length;
      }
      if (begin) work.other_splits.push_back({base + *begin, base + static_cast<std::uint32_t>(text.size())});
    });
  }
};

class PreTokenizerSequence final : public PreTokenizer {
 public:
  explicit PreTokenizerSequence(const Json& json) {
    for (const Json& part : json.at("pretokenizers").items()) {
      if (auto made = PreTokenizer::make(part)) parts_.push_back(std::move(made));
    }
  }
  void apply(Workspace& work) const override {
    for (const auto& part : parts_) part->apply(work);
  }
  bool needs_origins() const override {
    return std::any_of(parts_.begin(), parts_.end(), [](const auto& part) { return part->needs_origins(); });
  }
  bool ends_in_byte_alphabet() const override { return !parts_.empty() && parts_.back()->ends_in_byte_alphabet(); }
  void keep_raw_bytes() override { parts_.back()->keep_raw_bytes(); }

 private:
  std::vector<std::unique_ptr<PreTokenizer>> parts_;
};

std::unique_ptr<PreTokenizer> make_typed(std::string_view type, const Json& json) {
  const Unicode& unicode = Unicode::get();
  if (type == "BertPreTokenizer") return std::make_unique<WordSplit>(true);
  if (type == "WhitespaceSplit") return std::make_unique<WordSplit>(false);
  if (type == "Whitespace") return std::make_unique<WhitespaceWords>();
  if (type == "ByteLevel") return make_byte_level(json);
  if (type == "Metaspace") return make_metaspace(json);
  if (type == "Sequence") return std::make_unique<PreTokenizerSequence>(json);
  if (type == "Split") return std::make_unique<PatternSplit>(json);
  if (type == "UnicodeScripts") return std::make_unique<UnicodeScripts>();
  if (type == "CharDelimiterSplit" || type == "Delimiter") {
    const char32_t delimiter = char_at(json, "delimiter");
    return char_split([=](char32_t c) { return c == delimiter; }, SplitBehavior::removed);
  }
  if (type == "Punctuation") {
    const Json* behavior = json.find("behavior");
    return char_split([&unicode](char32_t c) { return unicode.is(c, kPunctuation); },
                      behavior == nullptr ? SplitBehavior::isolated : split_behavior(behavior->as_string()));
  }
  if (type == "Digits") {
    return char_split([&unicode](char32_t c) { return unicode.is(c, kNumeric); },
                      json.at("individual_digits").as_bool() ? SplitBehavior::isolated : SplitBehavior::contiguous);
  }
  if (type == "FixedLength") {
    const Json* length = json.find("length");
    return std::make_unique<FixedLength>(length == nullptr ? 5 : length->as_int());
  }
  return nullptr;
}

}  // namespace

std::unique_ptr<PreTokenizer> PreTokenizer::make(const Json& json) {
  if (json.is_null()) return nullptr;
  std::string_view type = type_of(json);
  if (type.empty() && json.find("delimiter") != nullptr) type = "CharDelimiterSplit";
  if (type.empty() && json.find("pretokenizers") != nullptr) type = "Sequence";
  auto made = make_typed(type, json);
  if (!made) unknown_type("pre_tokenizer", json);
  return made;
}

}  // namespace accelerate::text
