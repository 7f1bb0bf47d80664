// Regular expressions match what PCRE2 says they match, on texts of all kinds and on their beginnings.
#include <chrono>

#include "checkpoint/temporary_folder.hpp"
#include "decoding/constraint_helpers.hpp"
#include "decoding/pcre.hpp"
#include "text/unicode.hpp"

namespace accelerate::decoding::constraint {
namespace {

void expect_as_pcre(Tried& tried, const Pcre& pcre, const std::string& text) {
  ASSERT_EQ(tried.accepts(text), pcre.accepts(text)) << "text: " << Json(text).dump();
  for (std::size_t i = 1; i <= text.size(); ++i) {
    if (i < text.size() && (static_cast<unsigned char>(text[i]) & 0xc0) == 0x80) continue;
    const std::string beginning = text.substr(0, i);
    ASSERT_EQ(tried.begins(beginning), pcre.begins(beginning)) << "beginning: " << Json(beginning).dump();
  }
}

std::string any_text(std::mt19937& random, std::u32string_view alphabet) {
  std::string text;
  for (std::size_t i = random() % 8; i > 0; --i) text::append_utf8(text, alphabet[random() % alphabet.size()]);
  return text;
}

TEST(ConstraintRegex, MatchesAsPcre2Does) {
  const std::vector<std::string> patterns{"",
                                          "abc",
                                          "a|b|",
                                          "(a|b)*c",
                                          "a?b+c*",
                                          "a{3}",
                                          "a{2,}",
                                          "a{1,3}b",
                                          "[abc]+",
                                          "[^abc]",
                                          "[a-c1-3]*x",
                                          "\\d+",
                                          "\\D\\w\\W",
                                          "\\s*\\S",
                                          ".",
                                          ".*",
                                          "a.c",
                                          "\\.\\*\\[",
                                          "(?:ab)+",
                                          "(?<name>ab)?c",
                                          "(?P<n>a)b",
                                          "a*?b",
                                          "a+?",
                                          "a{2,4}?",
                                          "é+",
                                          "[à-ü]{2}",
                                          "[^é]*",
                                          "日本|語+",
                                          "\xf0\x9f\x98\x80?",
                                          "\\x41\\x{e9}",
                                          "[\\d\\-x]+",
                                          "[\\w.]+@[\\w.]+",
                                          "x{y}",
                                          "a{,b",
                                          "(a(b(c|d)?)*)+",
                                          "((a*)*)*b",
                                          "(|a)+b",
                                          "[]a]+",
                                          "[a\\]]b",
                                          "\\t\\n\\r",
                                          "(\\d{3}-)?\\d{4}",
                                          "[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?",
                                          "^ab$",
                                          "^a|b$",
                                          "[\\s\\S]a",
                                          "a{0}b",
                                          "(ab|a)(bc|c)",
                                          "\\p{L}\\p{N}*",
                                          "\\P{L}+",
                                          "[^\\p{L}\\d]",
                                          "[\\x{10000}-\\x{10ffff}]|[\\x{800}-\\x{d7ff}]"};
  const std::u32string_view alphabet = U"aabbccdxyz123 \n\t.@-+*[]{},eEéàü日本語😀\u0800\ud7ff\U0010ffffA_";
  std::mt19937 random(1);
  for (const std::string& pattern : patterns) {
    SCOPED_TRACE(pattern);
    Tried tried = Tried::regex(pattern);
    const Pcre pcre(pattern);
    std::size_t matched = 0;
    for (int i = 0; i < 60; ++i) {
      const std::string any = any_text(random, alphabet);
      matched += tried.accepts(any) ? 1 : 0;
      expect_as_pcre(tried, pcre, any);
      // PCRE2 may know another version of Unicode.
      if (pattern.find("\\p") != std::string::npos || pattern.find("\\P") != std::string::npos) continue;
      const std::string made = tried.random_text(random, 4, 200);
      if (text::find_invalid_utf8(made) == std::string::npos) {
        matched += tried.accepts(made) ? 1 : 0;
        expect_as_pcre(tried, pcre, made);
        expect_as_pcre(tried, pcre, made + any_text(random, alphabet));
      }
      if (HasFatalFailure()) return;
    }
    EXPECT_GT(matched, 0U);
  }
}

// An expression over a few characters.
std::string any_expression(std::mt19937& random, int depth) {
  switch (random() % (depth > 3 ? 4 : 9)) {
    case 0: return "a";
    case 1: return "b";
    case 2: return random() % 2 == 0 ? "[ab]" : "[^a]";
    case 3: return random() % 2 == 0 ? "é" : ".";
    case 4: return any_expression(random, depth + 1) + any_expression(random, depth + 1);
    case 5: return "(" + any_expression(random, depth + 1) + "|" + any_expression(random, depth + 1) + ")";
    case 6: return "(?:" + any_expression(random, depth + 1) + ")*";
    case 7: return "(" + any_expression(random, depth + 1) + "){1,2}";
    default: return "(" + any_expression(random, depth + 1) + ")?";
  }
}

TEST(ConstraintRegex, MatchesAsPcre2DoesForRandomExpressions) {
  std::mt19937 random(2);
  std::size_t matched = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string pattern = any_expression(random, 0);
    SCOPED_TRACE(pattern);
    Tried tried = Tried::regex(pattern);
    const Pcre pcre(pattern);
    for (int j = 0; j < 12; ++j) {
      const std::string text = any_text(random, U"aabbé\n");
      matched += pcre.accepts(text) ? 1 : 0;
      expect_as_pcre(tried, pcre, text);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_GT(matched, 500U);
}

TEST(ConstraintRegex, NeverLetsBrokenUtf8Through) {
  Tried tried = Tried::regex("[^x]*");
  for (const std::string bad :
       {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xf8", "\xff"}) {
    EXPECT_FALSE(tried.begins(bad)) << Json(bad).dump();
  }
  EXPECT_TRUE(tried.begins("\xf0\x9f"));
  EXPECT_FALSE(tried.accepts("\xf0\x9f"));
  EXPECT_TRUE(tried.accepts("\xf0\x9f\x98\x80"));
}

TEST(ConstraintRegex, SaysWhereItDoesNotUnderstand) {
  const auto error = [](std::string_view pattern) { return error_of([&] { regex_automaton(pattern); }); };
  EXPECT_EQ(error("a(?=b)"), "regex: look-around is not supported, at character 2");
  EXPECT_EQ(error("é(?<!b)"), "regex: look-around is not supported, at character 2");
  EXPECT_EQ(error("(a)\\1"), "regex: back references are not supported, at character 4");
  EXPECT_EQ(error("a\\b"), "regex: \\b is not supported, at character 2");
  EXPECT_EQ(error("(?i)a"), "regex: groups of the kind (?i are not supported, at character 1");
  EXPECT_EQ(error("a++"), "regex: possessive quantifiers are not supported, at character 3");
  EXPECT_EQ(error("a**"), "regex: a quantifier behind a quantifier, at character 3");
  EXPECT_EQ(error("*a"), "regex: nothing to repeat, at character 1");
  EXPECT_EQ(error("a|{2}"), "regex: nothing to repeat, at character 6");
  EXPECT_EQ(error("a{3,2}"), "regex: a quantifier whose least is above its most, at character 2");
  EXPECT_EQ(error("(ab"), "regex: a ( without its ), at character 1");
  EXPECT_EQ(error("ab)"), "regex: a ) without its (, at character 3");
  EXPECT_EQ(error("x[ab"), "regex: a [ without its ], at character 2");
  EXPECT_EQ(error("[b-a]"), "regex: a range that ends before it begins, at character 2");
  EXPECT_EQ(error("a^b"),
            "regex: ^ and $ stand only at the ends of the expression or of its alternatives, at character 2");
  EXPECT_EQ(error("a$b"),
            "regex: ^ and $ stand only at the ends of the expression or of its alternatives, at character 3");
  EXPECT_EQ(error("\\ud800"), "regex: half of a surrogate pair: write the code point, at character 1");
  EXPECT_EQ(error("[^\\s\\S]"), "regex: no text can meet it");
  EXPECT_EQ(error("\xff"), "regex: is no UTF-8 at byte 0");
  EXPECT_EQ(error("a"), "");
}

TEST(ConstraintRegex, RefusesWhatGrowsWithoutBounds) {
  for (const std::string pattern : {"((a{1000}){1000}){1000}", "(((.{0,99}){99}){99}){99}", "[\\p{L}x]{100000}"}) {
    const std::string error = error_of([&] { regex_automaton(pattern); });
    EXPECT_NE(error.find("regex: is too large"), std::string::npos) << pattern << ": " << error;
  }
  // Empty parts grow nothing, however often.
  EXPECT_TRUE(Tried::regex("(){1000000}((){1000000}){1000000}a").accepts("a"));
  EXPECT_NE(error_of([] { regex_automaton(std::string(1000, '(') + std::string(1000, ')')); }).find("deeper than 200"),
            std::string::npos);
}

TEST(ConstraintRegex, ReadsLongBracketsInTime) {
  const auto began = std::chrono::steady_clock::now();
  std::string characters, classes;
  for (char32_t c = 0x3400; c < 0x3400 + 60'000; c += 2) {
    if (c < 0xd800 || c > 0xdfff) text::append_utf8(characters, c);
  }
  for (int i = 0; i < 100'000; ++i) classes += "\\pL";
  Tried tried = Tried::regex("[" + characters + "]");
  EXPECT_TRUE(tried.accepts("\u3402"));
  EXPECT_FALSE(tried.accepts("\u3403"));
  EXPECT_TRUE(Tried::regex("[" + classes + "_]").accepts("_"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(kSanitized ? 60 : 5));
}

TEST(ConstraintRegex, FollowsEmptyAlternativesOnce) {
  const std::string empty = "(?:" + std::string(60'000, '|') + "){60}";
  const Automaton automaton = regex_automaton("(?:[^\n](?:" + empty + "))*[ae].{25}");
  std::size_t epsilons = 0;
  for (StateId state = 0; state < automaton.states(); ++state) epsilons += automaton.epsilons(state).size();
  EXPECT_LT(epsilons, 1000U);
  // What cannot be told to be empty.
  EXPECT_NE(error_of([] { Tried::regex("(?:[^\\s\\S]|){300000}a"); }).find("it is too ambiguous"), std::string::npos);
}

TEST(ConstraintRegex, StaysBoundedWhereEveryWayStaysOpen) {
  // 2^20 states if all were made; each byte makes one.
  Tried tried = Tried::regex("[ab]*a[ab]{20}c");
  std::mt19937 random(3);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += random() % 2 == 0 ? 'a' : 'b';
  EXPECT_TRUE(tried.begins(text));
  EXPECT_TRUE(tried.accepts(text + "abbbbbbbbbbbbbbbbbbbbc"));
  EXPECT_FALSE(tried.accepts(text + "bbbbbbbbbbbbbbbbbbbbbbc"));
  EXPECT_LT(tried.machine().bytes(), std::size_t{32} << 20);
  // What is cleared is given back, and what counts it sees so.
  tried.machine().clear();
  EXPECT_LT(tried.machine().bytes(), std::size_t{64} << 10);
}

}  // namespace
}  // namespace accelerate::decoding::constraint
