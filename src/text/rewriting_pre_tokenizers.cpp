#include <algorithm>

#include "text/known_patterns.hpp"
#include "text/metaspace.hpp"
#include "text/pre_tokenizers.hpp"

namespace accelerate::text {
namespace {

class ByteLevel final : public PreTokenizer {
 public:
  explicit ByteLevel(const Json& json)
      : prefix_space_(json.at("add_prefix_space").as_bool()), use_regex_(bool_or(json, "use_regex", true)) {}

  bool ends_in_byte_alphabet() const override { return true; }
  void keep_raw_bytes() override { raw_bytes_ = true; }

  void apply(Workspace& work) const override {
    if (prefix_space_) prepend_to_splits(work, " ", [](std::string_view text) { return text.front() != ' '; });
    if (use_regex_) {
      for_each_split(work, [&](std::string_view text, std::uint32_t base) {
        work.matches.clear();
        find_known(KnownPattern::gpt2, text, work.matches);
        append_splits(work.matches, SplitBehavior::isolated, base, work.other_splits);
      });
    }
    if (!raw_bytes_) to_alphabet(work);
  }

 private:
  static void to_alphabet(Workspace& work) {
    AlignedText& to = work.other_text;
    to.clear(work.text.tracked());
    for (Split& split : work.splits) {
      const auto begin = static_cast<std::uint32_t>(to.size());
      if (split.token >= 0) {
        to.append(work.text, split.begin, split.end);
      } else {
        const std::string_view text = work.text.view();
        for (std::uint32_t i = split.begin; i < split.end;) {
          const auto length = static_cast<std::uint32_t>(utf8_length(static_cast<unsigned char>(text[i])));
          const Origin origin = to.tracked() ? work.text.origin(i, i + length) : Origin{};
          for (const std::uint32_t end = i + length; i < end; ++i) {
            to.append(byte_to_char(static_cast<unsigned char>(text[i])), origin);
          }
        }
      }
      split.begin = begin;
      split.end = static_cast<std::uint32_t>(to.size());
    }
    std::swap(work.text, work.other_text);
  }

  bool prefix_space_, use_regex_, raw_bytes_ = false;
};

class Metaspace final : public PreTokenizer {
 public:
  explicit Metaspace(const Json& json) : rules_(metaspace_rules(json)) { append_utf8(mark_, rules_.replacement); }
  bool needs_origins() const override { return rules_.prepend == PrependScheme::first; }

  void apply(Workspace& work) const override {
    mark_spaces(work);
    if (rules_.prepend != PrependScheme::never) prepend_mark(work);
    if (!rules_.split) return;
    for_each_split(work, [&](std::string_view text, std::uint32_t base) {
      // Every mark begins a split, except that of a run of marks the first stands alone.
      std::size_t begin = 0;
      while (begin < text.size()) {
        std::size_t end = text.find(mark_, begin + (text.substr(begin, mark_.size()) == mark_ ? mark_.size() : 1));
        if (end == std::string_view::npos) end = text.size();
        work.other_splits.push_back({base + static_cast<std::uint32_t>(begin), base + static_cast<std::uint32_t>(end)});
        begin = end;
      }
    });
  }

 private:
  void mark_spaces(Workspace& work) const {
    AlignedText& to = work.other_text;
    to.clear(work.text.tracked());
    const std::string_view text = work.text.view();
    for (Split& split : work.splits) {
      const auto begin = static_cast<std::uint32_t>(to.size());
      if (split.token >= 0) {
        to.append(work.text, split.begin, split.end);
      } else {
        for (std::size_t i = split.begin; i < split.end;) {
          const std::size_t space = std::min<std::size_t>(text.find(' ', i), split.end);
          to.append(work.text, i, space);
          if (space < split.end) to.append(mark_, to.tracked() ? work.text.origin(space, space + 1) : Origin{});
          i = space + 1;
        }
      }
      split.begin = begin;
      split.end = static_cast<std::uint32_t>(to.size());
    }
    std::swap(work.text, work.other_text);
  }

  void prepend_mark(Workspace& work) const {
    const AlignedText& text = work.text;
    prepend_to_splits(work, mark_, [&](std::string_view part) {
      if (part.substr(0, mark_.size()) == mark_) return false;
      if (rules_.prepend == PrependScheme::always) return true;
      return text.origin_of_char(static_cast<std::size_t>(part.data() - text.view().data())).begin == 0;
    });
  }

  MetaspaceRules rules_;
  std::string mark_;
};

}  // namespace

std::unique_ptr<PreTokenizer> make_byte_level(const Json& json) { return std::make_unique<ByteLevel>(json); }
std::unique_ptr<PreTokenizer> make_metaspace(const Json& json) { return std::make_unique<Metaspace>(json); }

}  // namespace accelerate::text
