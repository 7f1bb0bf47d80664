// Normal forms by utf8proc's decompositions, in the order and with the bookkeeping of the `tokenizers` library.
#include <utf8proc.h>

#include <algorithm>

#include "text/unicode.hpp"

namespace accelerate::text {
namespace {

struct Classed {
  std::uint8_t combining_class;
  Change change;
};

std::uint8_t combining_class(char32_t c) {
  if (c < 0x300 || !Unicode::get().is(c, kCombining)) return 0;
  return static_cast<std::uint8_t>(utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class);
}

// The composition of two code points, or 0. Hangul is arithmetic; the rest is asked of utf8proc.
char32_t compose(char32_t first, char32_t second) {
  if (second < 0x300) return 0;
  if (!Unicode::get().is(second, kNfc)) return 0;
  utf8proc_int32_t pair[2] = {static_cast<utf8proc_int32_t>(first), static_cast<utf8proc_int32_t>(second)};
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_COMPOSE | UTF8PROC_STABLE);
  if (utf8proc_normalize_utf32(pair, 2, options) != 1) return 0;
  const auto composed = static_cast<char32_t>(pair[0]);
  // Pairs that only newer versions of Unicode compose are left apart.
  return Unicode::get().is(composed, kNfd) ? composed : 0;
}

void decompose_all(std::string_view text, bool compatibility, std::vector<Classed>& out) {
  std::u32string parts;
  std::size_t pending = out.size();
  const auto sort_pending = [&] {
    std::stable_sort(out.begin() + static_cast<std::ptrdiff_t>(pending), out.end(),
                     [](const Classed& a, const Classed& b) { return a.combining_class < b.combining_class; });
    pending = out.size();
  };
  for (std::size_t i = 0; i < text.size();) {
    const Decoded c = decode_at(text, i);
    i += c.length;
    parts.clear();
    decompose(c.value, compatibility, parts);
    for (std::size_t k = 0; k < parts.size(); ++k) {
      const std::uint8_t order = combining_class(parts[k]);
      if (order == 0) sort_pending();
      out.push_back({order, {parts[k], k == 0 ? 0 : 1}});
    }
  }
  sort_pending();
}

// Canonical composition over decomposed text. A swallowed code point counts one removed where it was one of the old
// text, and cancels where it was inserted by decomposition.
void compose_all(const std::vector<Classed>& in, std::vector<Change>& out) {
  bool have_starter = false;
  Change starter{};
  int last_class = -1;
  std::vector<Change> blocked;
  const auto flush = [&] {
    if (have_starter) out.push_back(starter);
    out.insert(out.end(), blocked.begin(), blocked.end());
    blocked.clear();
    have_starter = false;
    last_class = -1;
  };
  for (const Classed& next : in) {
    if (!have_starter) {
      if (next.combining_class != 0) {
        out.push_back(next.change);
      } else {
        starter = next.change;
        have_starter = true;
      }
      continue;
    }
    const bool reachable = last_class < 0 || last_class < next.combining_class;
    const char32_t composed = reachable ? compose(starter.value, next.change.value) : 0;
    if (composed != 0) {
      starter = {composed, starter.change + next.change.change - 1};
    } else if (next.combining_class == 0) {
      flush();
      starter = next.change;
      have_starter = true;
    } else {
      blocked.push_back(next.change);
      last_class = next.combining_class;
    }
  }
  flush();
}

}  // namespace

void decompose(char32_t c, bool compatibility, std::u32string& out) {
  if (c < 0x80 || !Unicode::get().is(c, compatibility ? kNfkd : kNfd) || c >= 0x110000) {
    out.push_back(c);
    return;
  }
  utf8proc_int32_t parts[32];
  int last_class = 0;
  const auto options = static_cast<utf8proc_option_t>(UTF8PROC_DECOMPOSE | (compatibility ? UTF8PROC_COMPAT : 0));
  const utf8proc_ssize_t count =
      utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), parts, 32, options, &last_class);
  for (utf8proc_ssize_t i = 0; i < count && i < 32; ++i) out.push_back(static_cast<char32_t>(parts[i]));
}

std::uint32_t touched_by(NormalForm form) {
  switch (form) {
    case NormalForm::nfc: return kNfc;
    case NormalForm::nfd: return kNfd;
    case NormalForm::nfkc: return kNfkc;
    case NormalForm::nfkd: return kNfkd;
  }
  return 0;
}

void normalize(NormalForm form, std::string_view text, std::vector<Change>& out) {
  const bool compatibility = form == NormalForm::nfkc || form == NormalForm::nfkd;
  std::vector<Classed> decomposed;
  decomposed.reserve(text.size());
  decompose_all(text, compatibility, decomposed);
  if (form == NormalForm::nfc || form == NormalForm::nfkc) {
    compose_all(decomposed, out);
  } else {
    for (const Classed& c : decomposed) out.push_back(c.change);
  }
}

}  // namespace accelerate::text
