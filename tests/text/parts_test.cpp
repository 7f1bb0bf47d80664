// The parts below the tokenizer: hand-written scanners against the expressions they stand for, the trie, UTF-8.
#include <map>
#include <random>
#include <thread>

#include "text/golden_rows.hpp"
#include "text/known_patterns.hpp"
#include "text/precompiled.hpp"
#include "text/regex.hpp"
#include "text/trie.hpp"
#include "text/unicode.hpp"

namespace accelerate::text {
namespace {

// Characters that decide something in a split pattern, all older than PCRE2's version of Unicode.
constexpr std::u32string_view kTelling =
    U"aZsStTrReEvVmMlLdD''''   "
    U"\t\n\r\r\n/!?.-_(1239\u0660\u00bd\u2167\u00e9\u00df\u01c5\u02b0\u0301\u0903\u05d0\u0627\u4e2d\u3042"
    U"\u30fc\uac00\u017f\u2028\u2029\u00a0\u3000\u0085\u200b\u200d\ufe0f\U0001f44d\U0001f3fd\u20ac\u00b2<|>"
    U"\u0130\u1e9e\u2019";

std::string random_text(std::mt19937& random) {
  std::uniform_int_distribution<std::size_t> length(0, 24), which(0, kTelling.size() - 1);
  std::string text;
  for (std::size_t i = length(random); i > 0; --i) append_utf8(text, kTelling[which(random)]);
  return text;
}

std::string show(const std::vector<Match>& matches) {
  std::string out;
  for (const Match& match : matches) {
    out += (match.matched ? "" : "not ") + std::to_string(match.begin) + "-" + std::to_string(match.end) + " ";
  }
  return out;
}

class Scanners : public testing::TestWithParam<KnownPattern> {};

TEST_P(Scanners, SplitAsTheirExpressionDoes) {
  const std::string_view expression = expression_of(GetParam());
  EXPECT_EQ(recognise_pattern(expression), GetParam());
  const Regex regex(expression);
  std::mt19937 random(7);
  for (int i = 0; i < 20000; ++i) {
    const std::string text = random_text(random);
    std::vector<Match> scanned, matched, joined;
    find_known(GetParam(), text, scanned);
    regex.find_all(text, matched);
    // Text between matches comes as one piece from the expression, as one or more from the scanner.
    for (const Match& match : scanned) {
      if (!match.matched && !joined.empty() && !joined.back().matched) {
        joined.back().end = match.end;
      } else {
        joined.push_back(match);
      }
    }
    ASSERT_EQ(show(joined), show(matched)) << Json(text).dump();
  }
}

INSTANTIATE_TEST_SUITE_P(All, Scanners,
                         testing::Values(KnownPattern::gpt2, KnownPattern::cl100k_3, KnownPattern::cl100k_1,
                                         KnownPattern::clip, KnownPattern::o200k));

TEST(Patterns, ThatAreOnlySimilarAreNotTakenForKnown) {
  EXPECT_EQ(recognise_pattern(std::string(expression_of(KnownPattern::gpt2)) + "|x"), KnownPattern::none);
  EXPECT_EQ(recognise_pattern(""), KnownPattern::none);
}

TEST(Patterns, ThatCannotBeCompiledAreUnsupported) {
  for (const char* pattern : {"(", "[a", "\\p{Nonsense}", "*a"}) EXPECT_THROW(Regex{pattern}, Error) << pattern;
}

TEST(Patterns, ThatExplodeAreGivenUp) {
  const Regex regex("(?:a|aa)+\\z");
  std::vector<Match> out;
  EXPECT_THROW(regex.find_all(std::string(64, 'a') + "c", out), Error);
}

TEST(Tries, FindWhatAMapFinds) {
  std::mt19937 random(3);
  std::map<std::string, std::int32_t> map;
  for (std::int32_t i = 0; i < 3000; ++i) map[random_text(random)] = i;
  map["\xff\x01"] = 5000;  // no UTF-8: a line of vocab.txt may be anything
  map["\xff"] = 5001;
  map.erase("");
  Trie trie;
  trie.build({map.begin(), map.end()});
  const auto find = [&](std::string_view key) {
    Trie::Node node = Trie::kRoot;
    for (const char c : key) {
      if (!trie.step(node, static_cast<unsigned char>(c))) return -1;
    }
    return trie.value(node);
  };
  for (const auto& [key, value] : map) {
    ASSERT_EQ(find(key), value) << Json(key).dump();
    for (const char more : {'a', '\xff', '\0'}) {
      const auto longer = map.find(key + more);
      ASSERT_EQ(find(key + more), longer == map.end() ? -1 : longer->second);
    }
    const auto shorter = map.find(key.substr(0, key.size() - 1));
    ASSERT_EQ(find(key.substr(0, key.size() - 1)), shorter == map.end() ? -1 : shorter->second);
  }
}

TEST(Utf8, FindsTheFirstInvalidByte) {
  EXPECT_EQ(find_invalid_utf8("a\xc3\xa9\xf0\x9f\x98\x80"), std::string::npos);
  EXPECT_EQ(find_invalid_utf8("12345678\x80"), 8U);
  EXPECT_EQ(find_invalid_utf8("ab\xed\xa0\x80"), 2U);  // a surrogate
  EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0U);        // longer than it needs to be
  EXPECT_EQ(find_invalid_utf8("a\xf0\x9f"), 1U);
  EXPECT_EQ(to_valid_utf8("a\xf0\x9f\xff"), "a\xef\xbf\xbd\xef\xbf\xbd");
}

TEST(ByteAlphabet, IsOneToOne) {
  for (int byte = 0; byte < 256; ++byte) EXPECT_EQ(char_to_byte(byte_to_char(static_cast<unsigned char>(byte))), byte);
  EXPECT_EQ(char_to_byte(U' '), -1);
}

TEST(CharacterMaps, WithoutAWholeTrieAreCorrupted) {
  using namespace std::string_literals;
  // The size of the trie in bytes, then less than that or not one unit of it.
  for (const std::string& map : {""s, "\4\0\0"s, "\0\0\0\0"s, "\3\0\0\0abc"s, "\0\0\0\0more"s, "\4\0\0\0abc"s}) {
    EXPECT_THROW(Precompiled{map}, Error) << map.size();
  }
  EXPECT_NO_THROW(Precompiled("\4\0\0\0\0\0\0\0"s));
}

TEST(Tokenizers, AreSharedBetweenThreads) {
  const Tokenizer tokenizer = Tokenizer::open(goldens() / "bert");
  const std::vector<Json> rows = lines_of(goldens() / "bert" / "cases.jsonl");
  std::vector<int> wrong(4, 0);
  std::vector<std::thread> threads;
  for (int& count : wrong) {
    threads.emplace_back([&] {
      for (const Json& row : rows) {
        const TextInput input = input_of(row);
        count += tokenizer.encode_ids(std::span(&input, 1)).ids == integers(row.at("ids")) ? 0 : 1;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, std::vector<int>(4, 0));
}

}  // namespace
}  // namespace accelerate::text
