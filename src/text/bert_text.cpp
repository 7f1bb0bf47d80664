#include "text/bert_text.hpp"

namespace accelerate::text {
namespace {

// Ideographs as BERT's tokenizer draws the line; Hangul and Kana are words with spaces to it.
bool is_chinese(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3400 && c <= 0x4dbf) || (c >= 0x20000 && c <= 0x2a6df) ||
         (c >= 0x2a700 && c <= 0x2b73f) || (c >= 0x2b740 && c <= 0x2b81f) || (c >= 0x2b920 && c <= 0x2ceaf) ||
         (c >= 0xf900 && c <= 0xfaff) || (c >= 0x2f800 && c <= 0x2fa1f);
}

bool drops(const BertRules& rules, std::string_view ascii) {
  for (const char c : ascii) {
    if (rules.ascii[static_cast<unsigned char>(c)] == BertRules::kDropped) return true;
  }
  return false;
}

void map_ascii(const BertRules& rules, std::string& bytes, std::size_t from) {
  char* data = bytes.data();
  for (std::size_t i = from; i < bytes.size(); ++i) {
    data[i] = static_cast<char>(rules.ascii[static_cast<unsigned char>(data[i])]);
  }
}

void put_lower(AlignedText& to, char32_t c, Origin origin, bool lowercase) {
  if (!lowercase) {
    to.append(c, origin);
    return;
  }
  to.append(Unicode::get().lower(c), origin);
  if (c == 0x130) to.append(char32_t{0x307}, origin);
}

// One code point beyond ASCII. False where marks that stay behind could have to change places.
bool put_bert_char(AlignedText& to, char32_t c, Origin origin, const BertRules& rules, std::u32string& parts) {
  const Unicode& unicode = Unicode::get();
  const std::uint32_t classes = unicode.classes(c);
  if (rules.clean_text) {
    if (c == 0xfffd || (classes & kControl) != 0) return true;
    if ((classes & kSpace) != 0) c = U' ';
  }
  const bool chinese = rules.handle_chinese_chars && is_chinese(c);
  if (chinese) to.append(U' ', origin);
  if (!rules.strip_accents || (classes & kNfd) == 0) {
    if (!rules.strip_accents || (classes & kNonspacingMark) == 0) put_lower(to, c, origin, rules.lowercase);
  } else {
    parts.clear();
    decompose(c, false, parts);
    for (const char32_t part : parts) {
      const std::uint32_t part_classes = unicode.classes(part);
      if ((part_classes & kNonspacingMark) != 0) continue;
      if ((part_classes & kCombining) != 0) return false;
      put_lower(to, part, origin, rules.lowercase);
    }
  }
  if (chinese) to.append(U' ', origin);
  return true;
}

template <typename Keep>
void keep_chars(AlignedText& text, Keep&& keep) {
  AlignedText old = std::move(text);
  text.clear(old.tracked());
  Rewriter out(old, 0, old.size(), text);
  const std::string_view now = old.view();
  for (std::size_t i = 0; i < now.size();) {
    const Decoded c = decode_at(now, i);
    if (!keep(c.value)) {
      out.keep_until(i);
      out.skip_chars(1);
    }
    i += c.length;
  }
  out.keep_until(now.size());
}

// The steps one after the other, for text where their order shows.
void bert_normalize_stepwise(AlignedText& text, const BertRules& rules, Workspace& work) {
  BertRules rest = rules;
  rest.strip_accents = rest.lowercase = false;
  for (std::uint8_t& c : rest.ascii) {
    const auto i = static_cast<std::uint8_t>(&c - rest.ascii.data());
    if (c != BertRules::kDropped && i >= 'A' && i <= 'Z') c = i;
  }
  bert_normalize(text, rest, work);
  if (rules.strip_accents) {
    apply_normal_form(text, NormalForm::nfd, work);
    const Unicode& unicode = Unicode::get();
    keep_chars(text, [&](char32_t c) { return !unicode.is(c, kNonspacingMark); });
  }
  if (rules.lowercase) lower_case(text);
}

}  // namespace

BertRules bert_rules(const Json& json) {
  BertRules rules;
  rules.clean_text = bool_or(json, "clean_text", true);
  rules.handle_chinese_chars = bool_or(json, "handle_chinese_chars", true);
  rules.lowercase = bool_or(json, "lowercase", true);
  rules.strip_accents = bool_or(json, "strip_accents", rules.lowercase);
  for (std::uint8_t c = 0; c < 128; ++c) {
    const bool space = c == '\t' || c == '\n' || c == '\r';
    std::uint8_t to = c;
    if (rules.clean_text && space) to = ' ';
    if (rules.clean_text && !space && (c < 32 || c == 127)) to = BertRules::kDropped;
    if (rules.lowercase && c >= 'A' && c <= 'Z') to = static_cast<std::uint8_t>(c + 32);
    rules.ascii[c] = to;
  }
  return rules;
}

void bert_normalize(AlignedText& text, const BertRules& rules, Workspace& work) {
  const std::string_view now = text.view();
  if (is_ascii(now) && !drops(rules, now)) {
    map_ascii(rules, text.bytes_in_place(), 0);
    return;
  }
  AlignedText old = std::move(text);
  const std::string_view from = old.view();
  text.clear(old.tracked());
  std::u32string parts;
  for (std::size_t i = 0; i < from.size();) {
    const std::size_t run = ascii_prefix(from.substr(i));
    if (run > 0 && !drops(rules, from.substr(i, run))) {
      const std::size_t before = text.size();
      text.append(old, i, i + run);
      map_ascii(rules, text.bytes_in_place(), before);
      i += run;
      continue;
    }
    for (const std::size_t end = i + run; i < end; ++i) {
      const std::uint8_t to = rules.ascii[static_cast<unsigned char>(from[i])];
      if (to != BertRules::kDropped) text.append(char32_t{to}, old.tracked() ? old.origin(i, i + 1) : Origin{});
    }
    while (i < from.size() && static_cast<signed char>(from[i]) < 0) {
      const Decoded c = decode_at(from, i);
      const Origin origin = old.tracked() ? old.origin(i, i + c.length) : Origin{};
      if (!put_bert_char(text, c.value, origin, rules, parts)) {
        text = std::move(old);
        return bert_normalize_stepwise(text, rules, work);
      }
      i += c.length;
    }
  }
}

void apply_normal_form(AlignedText& text, NormalForm form, Workspace& work) {
  const std::string_view now = text.view();
  const std::size_t ascii = ascii_prefix(now);
  if (ascii == now.size()) return;
  const Unicode& unicode = Unicode::get();
  const std::uint32_t touched = touched_by(form);
  const bool composes = form == NormalForm::nfc || form == NormalForm::nfkc;
  std::size_t first = ascii;
  while (first < now.size()) {
    const Decoded c = decode_at(now, first);
    if (c.value >= 0x80 && unicode.is(c.value, touched)) break;
    first += c.length;
  }
  if (first >= now.size()) return;

  AlignedText old = std::move(text);
  const std::string_view from = old.view();
  text.clear(old.tracked());
  Rewriter out(old, 0, old.size(), text);
  std::size_t previous = first > 0 ? previous_start(from, first) : 0;
  for (std::size_t i = first; i < from.size();) {
    const Decoded c = decode_at(from, i);
    if (c.value < 0x80 || !unicode.is(c.value, touched)) {
      previous = i;
      i += c.length;
      continue;
    }
    // A stretch of touched code points, and for composition the starter before it.
    const std::size_t begin = composes && i > 0 ? previous : i;
    std::size_t end = i;
    while (end < from.size()) {
      const Decoded next = decode_at(from, end);
      if (next.value < 0x80 || !unicode.is(next.value, touched)) break;
      end += next.length;
    }
    work.changes.clear();
    normalize(form, from.substr(begin, end - begin), work.changes);
    out.keep_until(begin);
    for (const Change& change : work.changes) out.put(change);
    i = end;
  }
  out.keep_until(from.size());
}

void lower_case(AlignedText& text) {
  const std::string_view now = text.view();
  if (is_ascii(now)) {
    for (char& c : text.bytes_in_place()) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    }
    return;
  }
  const Unicode& unicode = Unicode::get();
  AlignedText old = std::move(text);
  const std::string_view from = old.view();
  text.clear(old.tracked());
  Rewriter out(old, 0, old.size(), text);
  for (std::size_t i = 0; i < from.size();) {
    const Decoded c = decode_at(from, i);
    const char32_t lower = unicode.lower(c.value);
    if (lower != c.value) {
      out.keep_until(i);
      out.put({lower, 0});
      if (c.value == 0x130) out.put({0x307, 1});
    }
    i += c.length;
  }
  out.keep_until(from.size());
}

}  // namespace accelerate::text
