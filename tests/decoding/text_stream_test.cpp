// Ends of texts: reasons, stop strings wherever the text is cut, pieces of text with them.
#include "decoding/text_stream.hpp"

#include <random>

#include "decoding/golden_rows.hpp"
#include "text/unicode.hpp"

namespace accelerate::decoding {
namespace {

using Ids = std::vector<std::int32_t>;

TEST(Stopping, NamesTheFirstReason) {
  const GenerationSettings settings = {.max_new_tokens = 3, .eos_token_ids = {5, 6}, .stop_token_ids = {7}};
  const auto reasons = [&](const Ids& ids, bool stop_string = false) {
    Stopping stopping(settings, 10);
    EXPECT_EQ(stopping.most(), 3U);
    std::string text;
    for (const std::int32_t id : ids) text += std::string(name_of(stopping.after(id, stop_string))) + " ";
    return text;
  };
  EXPECT_EQ(reasons({1, 2, 3}), "none none length ");
  EXPECT_EQ(reasons({1, 2, 6}), "none none eos ");
  EXPECT_EQ(reasons({5}), "eos ");
  EXPECT_EQ(reasons({1, 7, 5}), "none stop_token stop_token ");
  EXPECT_EQ(reasons({1}, true), "stop_string ");
  EXPECT_EQ(reasons({6}, true), "eos ");
  EXPECT_EQ(Stopping({.max_length = 4}, 4).reason(), StopReason::length);
}

// All cuts of `text` into two and three pieces give the same.
std::string until_stop(const std::string& text, const std::vector<std::string>& stops, bool keep = false) {
  std::string whole;
  for (std::size_t first = 0; first <= text.size(); ++first) {
    for (std::size_t second = first; second <= text.size(); ++second) {
      StopStrings strings(stops, keep);
      std::string found = strings.push(text.substr(0, first));
      found += strings.push(text.substr(first, second - first));
      found += strings.push(text.substr(second));
      found += strings.finish() + (strings.found() ? "!" : "");
      if (first + second > 0) {
        EXPECT_EQ(found, whole) << first << " " << second;
      }
      whole = found;
    }
  }
  return whole;
}

TEST(StopStrings, AreFoundWhereverTheTextIsCut) {
  EXPECT_EQ(until_stop("one two three", {"two"}), "one !");
  EXPECT_EQ(until_stop("one two three", {"two"}, true), "one two!");
  EXPECT_EQ(until_stop("one two three", {"four", "twx"}), "one two three");
  EXPECT_EQ(until_stop("aaab", {"aab"}), "a!");
  EXPECT_EQ(until_stop("ends with th", {"the"}), "ends with th");
  EXPECT_EQ(until_stop("abcde", {"abcd", "bc"}), "a!");    // complete first, though it begins later
  EXPECT_EQ(until_stop("abcde", {"c", "bc", "d"}), "a!");  // complete together: the longest
  EXPECT_EQ(until_stop("abc", {}), "abc");
}

TEST(StopStrings, HoldBackOnlyWhatMayBeABeginning) {
  StopStrings strings({"<end>", "\n\n"});
  EXPECT_EQ(strings.push("text <en"), "text ");
  EXPECT_EQ(strings.push("gine"), "<engine");
  EXPECT_EQ(strings.push("\n"), "");
  EXPECT_TRUE(strings.completes("\n"));
  EXPECT_FALSE(strings.completes("x"));
  EXPECT_EQ(strings.push("x"), "\nx");
  EXPECT_THROW(StopStrings({"a", ""}), Error);
  EXPECT_THROW(StopStrings({"\xff"}), Error);
}

text::Tokenizer tokenizer_of(const char* name) { return text::Tokenizer::open(goldens() / "tokenizers" / name); }

class StreamsOf : public testing::TestWithParam<const char*> {};

// Stop strings taken from the text itself, so that there is one to find.
TEST_P(StreamsOf, EndAtTheStopStringAsSoonAsItIsThere) {
  const text::Tokenizer tokenizer = tokenizer_of(GetParam());
  std::mt19937 random(4);
  std::size_t found = 0;
  for (const Json& row : lines_of(goldens() / "tokenizers" / GetParam() / "cases.jsonl")) {
    const Ids ids = integers(row.at("ids_without_special"));
    const std::string whole = tokenizer.decode(ids);
    if (whole.size() < 8) continue;
    const std::size_t at = std::uniform_int_distribution<std::size_t>(1, whole.size() - 4)(random);
    const std::string stop = whole.substr(at, 3);
    if (text::find_invalid_utf8(stop) != std::string::npos || stop.find("\ufffd") != std::string::npos) continue;
    SCOPED_TRACE(row.dump().substr(0, 300) + " stop " + stop);
    for (const bool keep : {false, true}) {
      TextStream stream(tokenizer, {.stop_strings = {stop}, .keep_stop_string = keep});
      std::string text;
      std::size_t used = 0;
      while (used < ids.size() && !stream.stopped()) text += stream.push(ids[used++]);
      ASSERT_TRUE(stream.stopped());
      EXPECT_EQ(stream.finish() + stream.push(ids[0]), "");
      EXPECT_EQ(text, whole.substr(0, whole.find(stop) + (keep ? stop.size() : 0)));
      // Not one id later than needed.
      EXPECT_EQ(tokenizer.decode(std::span(ids).first(used - 1)).find(stop), std::string::npos);
      ++found;
    }
  }
  EXPECT_GT(found, 50U);
}

INSTANTIATE_TEST_SUITE_P(Golden, StreamsOf,
                         testing::Values("bert", "bert_cased", "clip", "gpt2", "llama", "llama3", "mistral", "opt",
                                         "qwen2", "roberta", "t5", "whisper", "xlm_roberta"),
                         [](const auto& family) { return std::string(family.param); });

TEST(TextStream, WithoutStopStringsIsTheDecodedText) {
  const text::Tokenizer tokenizer = tokenizer_of("llama");
  const Ids ids = tokenizer.encode_ids("Hello, w\u00f6rld \u4f60\u597d!\n\nBye");
  for (const bool skip : {false, true}) {
    TextStream stream(tokenizer, {.skip_special_tokens = skip});
    std::string text;
    std::size_t pieces = 0;
    for (const std::int32_t id : ids) {
      const std::string piece = stream.push(id);
      pieces += piece.empty() ? 0 : 1;
      text += piece;
    }
    EXPECT_EQ(text + stream.finish(), tokenizer.decode(ids, skip));
    EXPECT_GT(pieces, 5U);
  }
}

}  // namespace
}  // namespace accelerate::decoding
