#include "text/precompiled.hpp"

#include <utf8proc.h>

#include <cstring>

#include "accelerate/error.hpp"

namespace accelerate::text {
namespace {

[[noreturn]] void corrupted(const std::string& what) {
  throw Error(ErrorKind::corrupted, what, "precompiled_charsmap");
}

std::size_t count_chars(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
  return count;
}

// Collects what becomes of each piece: as changes where origins are kept, else as bytes alone.
class Output {
 public:
  explicit Output(bool tracked) : tracked_(tracked) {}

  void stay(std::string_view piece) {
    if (!tracked_) {
      bytes_.append(piece);
      return;
    }
    for (std::size_t i = 0; i < piece.size();) {
      const Decoded c = decode_at(piece, i);
      changes_.push_back({c.value, 0});
      i += c.length;
    }
  }
  void replace(std::string_view from, std::string_view to) {
    modified_ = true;
    const std::size_t before = changes_.size();
    stay(to);
    if (!tracked_) return;
    const auto grown =
        static_cast<std::ptrdiff_t>(changes_.size() - before) - static_cast<std::ptrdiff_t>(count_chars(from));
    for (std::ptrdiff_t i = 0; i < grown; ++i) changes_[changes_.size() - 1 - static_cast<std::size_t>(i)].change = 1;
    // What shrinks is swallowed by the last code point written, whichever piece that came from.
    if (grown < 0 && !changes_.empty()) changes_.back().change += static_cast<std::int32_t>(grown);
  }
  void finish(AlignedText& text) {
    if (!modified_) return;
    if (!tracked_) {
      text.bytes_in_place() = std::move(bytes_);
      return;
    }
    AlignedText old = std::move(text);
    text.clear(true);
    Rewriter out(old, 0, old.size(), text);
    for (const Change& change : changes_) out.put(change);
  }

 private:
  bool tracked_, modified_ = false;
  std::string bytes_;
  std::vector<Change> changes_;
};

}  // namespace

Precompiled::Precompiled(std::string charsmap) {
  std::uint32_t size = 0;
  if (charsmap.size() < 4) corrupted(std::to_string(charsmap.size()) + " bytes, expected at least 4");
  std::memcpy(&size, charsmap.data(), 4);
  if (size < 4 || size > charsmap.size() - 4) {
    corrupted("a trie of " + std::to_string(size) + " bytes, expected 4 to " + std::to_string(charsmap.size() - 4));
  }
  trie_.resize(size / 4);
  std::memcpy(trie_.data(), charsmap.data() + 4, trie_.size() * 4);
  replacements_ = charsmap.substr(4 + trie_.size() * 4);
  if (find_invalid_utf8(replacements_) != std::string::npos) corrupted("replacements that are no UTF-8");
  for (char c = 0; c >= 0; ++c) {
    ascii_stays_[static_cast<std::size_t>(c)] = !find(std::string_view(&c, 1)).has_value();
    if (c == 127) break;
  }
}

std::uint32_t Precompiled::unit(std::size_t index) const {
  if (index >= trie_.size()) return 0x80000000U;  // a label no byte has
  return trie_[index];
}

// The replacement of the shortest prefix of `piece` that has one. (The whole piece is then replaced: a quirk of the
// reference that published models were checked against.)
std::optional<std::string_view> Precompiled::find(std::string_view piece) const {
  const auto offset = [](std::uint32_t u) { return static_cast<std::size_t>(u >> 10) << ((u & (1U << 9)) >> 6); };
  std::size_t node = offset(unit(0));
  for (const char c : piece) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte == 0) break;
    node ^= byte;
    const std::uint32_t here = unit(node);
    if ((here & (1U << 31 | 0xffU)) != byte) return std::nullopt;
    node ^= offset(here);
    if ((here >> 8 & 1U) == 0) continue;
    const std::size_t begin = unit(node) & 0x7fffffffU;
    if (begin > replacements_.size()) return std::nullopt;
    if (begin < replacements_.size() && (static_cast<unsigned char>(replacements_[begin]) & 0xc0) == 0x80) {
      return std::nullopt;
    }
    const std::size_t end = replacements_.find('\0', begin);
    return std::string_view(replacements_).substr(begin, end == std::string::npos ? end : end - begin);
  }
  return std::nullopt;
}

std::size_t Precompiled::grapheme_end(std::string_view text, std::size_t begin) const {
  Decoded c = decode_at(text, begin);
  std::size_t end = begin + c.length;
  utf8proc_int32_t state = 0;
  while (end < text.size()) {
    const Decoded next = decode_at(text, end);
    if (utf8proc_grapheme_break_stateful(static_cast<utf8proc_int32_t>(c.value),
                                         static_cast<utf8proc_int32_t>(next.value), &state)) {
      break;
    }
    end += next.length;
    c = next;
  }
  return end;
}

void Precompiled::apply(AlignedText& text) const {
  const std::string_view now = text.view();
  Output out(text.tracked());
  for (std::size_t i = 0; i < now.size();) {
    // An ASCII character before another is a grapheme by itself, but for the end of a line.
    std::size_t plain = i;
    while (plain < now.size() && static_cast<signed char>(now[plain]) >= 0 && now[plain] != '\r' &&
           ascii_stays_[static_cast<std::size_t>(now[plain])] &&
           (plain + 1 == now.size() || static_cast<signed char>(now[plain + 1]) >= 0)) {
      ++plain;
    }
    if (plain > i) {
      out.stay(now.substr(i, plain - i));
      i = plain;
      continue;
    }
    const std::size_t end = grapheme_end(now, i);
    const std::string_view grapheme = now.substr(i, end - i);
    const auto whole = grapheme.size() < 6 ? find(grapheme) : std::nullopt;
    if (whole) {
      out.replace(grapheme, *whole);
    } else {
      for (std::size_t k = 0; k < grapheme.size();) {
        const std::string_view part = grapheme.substr(k, utf8_length(static_cast<unsigned char>(grapheme[k])));
        if (const auto to = find(part)) {
          out.replace(part, *to);
        } else {
          out.stay(part);
        }
        k += part.size();
      }
    }
    i = end;
  }
  out.finish(text);
}

}  // namespace accelerate::text
