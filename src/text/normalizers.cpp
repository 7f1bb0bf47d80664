#include <algorithm>
#include <array>

#include "text/bert_text.hpp"
#include "text/components.hpp"
#include "text/precompiled.hpp"
#include "text/regex.hpp"

namespace accelerate::text {
namespace {

// Rewrites the whole text by `rewrite(Rewriter&)` through the workspace's other text.
template <typename F>
void rewrite(AlignedText& text, F&& change) {
  AlignedText old = std::move(text);
  text.clear(old.tracked());
  Rewriter rewriter(old, 0, old.size(), text);
  change(rewriter, old.view());
}

// Keeps the code points for which keep(c) is true, turned into map(c).
template <typename Keep, typename Map>
void filter_map(AlignedText& text, Keep&& keep, Map&& map) {
  const std::string_view now = text.view();
  bool any = false;
  for (std::size_t i = 0; i < now.size() && !any;) {
    const Decoded c = decode_at(now, i);
    any = !keep(c.value) || map(c.value) != c.value;
    i += c.length;
  }
  if (!any) return;
  rewrite(text, [&](Rewriter& out, std::string_view old) {
    std::size_t kept = 0;
    for (std::size_t i = 0; i < old.size();) {
      const Decoded c = decode_at(old, i);
      const bool keeps = keep(c.value);
      const char32_t to = keeps ? map(c.value) : 0;
      if (!keeps || to != c.value) {
        out.keep_until(i);
        if (keeps) {
          out.put({to, 0});
        } else {
          out.skip_chars(1);
        }
        kept = i + c.length;
      }
      i += c.length;
    }
    if (kept < old.size()) out.keep_until(old.size());
  });
}

char32_t same(char32_t c) { return c; }

class BertNormalizer final : public Normalizer {
 public:
  explicit BertNormalizer(const Json& json) : rules_(bert_rules(json)) {}
  void apply(AlignedText& text, Workspace& work) const override { bert_normalize(text, rules_, work); }

 private:
  BertRules rules_;
};

class Strip final : public Normalizer {
 public:
  Strip(bool left, bool right) : left_(left), right_(right) {}
  void apply(AlignedText& text, Workspace&) const override {
    const std::string_view now = text.view();
    const Unicode& unicode = Unicode::get();
    std::size_t begin = 0, end = now.size();
    while (left_ && begin < end) {
      const Decoded c = decode_at(now, begin);
      if (!unicode.is(c.value, kSpace)) break;
      begin += c.length;
    }
    while (right_ && end > begin) {
      const std::size_t start = previous_start(now, end);
      if (!unicode.is(decode_at(now, start).value, kSpace)) break;
      end = start;
    }
    if (begin == 0 && end == now.size()) return;
    AlignedText old = std::move(text);
    text.clear(old.tracked());
    text.append(old, begin, end);
  }

 private:
  bool left_, right_;
};

class StripAccents final : public Normalizer {
 public:
  void apply(AlignedText& text, Workspace&) const override {
    if (is_ascii(text.view())) return;
    const Unicode& unicode = Unicode::get();
    filter_map(
        text, [&](char32_t c) { return !unicode.is(c, kCombiningMark); }, same);
  }
};

class UnicodeForm final : public Normalizer {
 public:
  explicit UnicodeForm(NormalForm form) : form_(form) {}
  void apply(AlignedText& text, Workspace& work) const override { apply_normal_form(text, form_, work); }

 private:
  NormalForm form_;
};

class Lowercase final : public Normalizer {
 public:
  void apply(AlignedText& text, Workspace&) const override { lower_case(text); }
};

class Nmt final : public Normalizer {
 public:
  void apply(AlignedText& text, Workspace&) const override { filter_map(text, keeps, to_space); }

 private:
  static bool keeps(char32_t c) {
    return !((c >= 1 && c <= 8) || c == 0xb || (c >= 0xe && c <= 0x1f) || c == 0x7f || c == 0x8f || c == 0x9f);
  }
  static char32_t to_space(char32_t c) {
    const bool space = c == 9 || c == 0xa || c == 0xc || c == 0xd || c == 0x1680 || (c >= 0x200b && c <= 0x200f) ||
                       c == 0x2028 || c == 0x2029 || c == 0x2581 || c == 0xfeff || c == 0xfffd;
    return space ? U' ' : c;
  }
};

class PrecompiledMap final : public Normalizer {
 public:
  explicit PrecompiledMap(std::string charsmap) : map_(std::move(charsmap)) {}
  void apply(AlignedText& text, Workspace&) const override { map_.apply(text); }

 private:
  Precompiled map_;
};

class Replace final : public Normalizer {
 public:
  explicit Replace(const Json& json) : pattern_(json.at("pattern")), content_(json.at("content").as_string()) {}
  void apply(AlignedText& text, Workspace& work) const override {
    work.matches.clear();
    pattern_.find_all(text.view(), work.matches);
    const auto found = [](const Match& match) { return match.matched; };
    if (std::none_of(work.matches.begin(), work.matches.end(), found)) return;
    AlignedText old = std::move(text);
    text.clear(old.tracked());
    for (const Match& match : work.matches) {
      if (!match.matched) {
        text.append(old, match.begin, match.end);
      } else if (!content_.empty()) {
        text.append(content_, origin_of(old, match.end));
      }
    }
  }

 private:
  // What replaces a match stands for the last code point of the match.
  static Origin origin_of(const AlignedText& old, std::size_t end) {
    if (!old.tracked() || old.size() == 0) return {};
    if (end > 0) return old.origin_of_char(previous_start(old.view(), end));
    const std::uint32_t begin = old.origin_of_char(0).begin;
    return {begin, begin};
  }

  Pattern pattern_;
  std::string content_;
};

class Prepend final : public Normalizer {
 public:
  explicit Prepend(std::string prefix) : prefix_(std::move(prefix)) {}
  void apply(AlignedText& text, Workspace&) const override {
    if (text.size() == 0 || prefix_.empty()) return;
    AlignedText old = std::move(text);
    text.clear(old.tracked());
    text.append(prefix_, old.tracked() ? old.origin_of_char(0) : Origin{});
    text.append(old, 0, old.size());
  }

 private:
  std::string prefix_;
};

class ByteLevelNormalizer final : public Normalizer {
 public:
  void apply(AlignedText& text, Workspace&) const override {
    rewrite(text, [](Rewriter& out, std::string_view old) {
      for (std::size_t i = 0; i < old.size();) {
        const std::size_t end = i + utf8_length(static_cast<unsigned char>(old[i]));
        for (std::size_t k = i; k < end; ++k) {
          out.put({byte_to_char(static_cast<unsigned char>(old[k])), k == i ? 0 : 1});
        }
        i = end;
      }
    });
  }
};

class NormalizerSequence final : public Normalizer {
 public:
  explicit NormalizerSequence(std::vector<std::unique_ptr<Normalizer>> parts) : parts_(std::move(parts)) {}
  explicit NormalizerSequence(const Json& json) {
    for (const Json& part : json.at("normalizers").items()) {
      if (auto made = Normalizer::make(part)) parts_.push_back(std::move(made));
    }
  }
  void apply(AlignedText& text, Workspace& work) const override {
    for (const auto& part : parts_) part->apply(text, work);
  }

 private:
  std::vector<std::unique_ptr<Normalizer>> parts_;
};

// Files of the first versions leave the type out: the fields tell.
std::string_view guessed_type(const Json& json) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 6> kByField = {
      {{"clean_text", "BertNormalizer"},
       {"strip_left", "Strip"},
       {"normalizers", "Sequence"},
       {"precompiled_charsmap", "Precompiled"},
       {"pattern", "Replace"},
       {"prepend", "Prepend"}}};
  const std::string_view type = type_of(json);
  if (!type.empty()) return type;
  for (const auto& [field, name] : kByField) {
    if (json.find(field) != nullptr) return name;
  }
  return {};
}

}  // namespace

std::unique_ptr<Normalizer> make_precompiled(std::string charsmap) {
  return std::make_unique<PrecompiledMap>(std::move(charsmap));
}

std::unique_ptr<Normalizer> make_normalizer_sequence(std::vector<std::unique_ptr<Normalizer>> parts) {
  return std::make_unique<NormalizerSequence>(std::move(parts));
}

std::unique_ptr<Normalizer> Normalizer::make(const Json& json) {
  if (json.is_null()) return nullptr;
  const std::string_view type = guessed_type(json);
  if (type == "BertNormalizer" || type == "Bert") return std::make_unique<BertNormalizer>(json);
  if (type == "Strip") {
    return std::make_unique<Strip>(json.at("strip_left").as_bool(), json.at("strip_right").as_bool());
  }
  if (type == "StripAccents") return std::make_unique<StripAccents>();
  if (type == "NFC") return std::make_unique<UnicodeForm>(NormalForm::nfc);
  if (type == "NFD") return std::make_unique<UnicodeForm>(NormalForm::nfd);
  if (type == "NFKC") return std::make_unique<UnicodeForm>(NormalForm::nfkc);
  if (type == "NFKD") return std::make_unique<UnicodeForm>(NormalForm::nfkd);
  if (type == "Sequence") return std::make_unique<NormalizerSequence>(json);
  if (type == "Lowercase") return std::make_unique<Lowercase>();
  if (type == "Nmt") return std::make_unique<Nmt>();
  if (type == "Precompiled") {
    return std::make_unique<PrecompiledMap>(from_base64(json.at("precompiled_charsmap").as_string()));
  }
  if (type == "Replace") return std::make_unique<Replace>(json);
  if (type == "Prepend") return std::make_unique<Prepend>(json.at("prepend").as_string());
  if (type == "ByteLevel") return std::make_unique<ByteLevelNormalizer>();
  unknown_type("normalizer", json);
}

}  // namespace accelerate::text
