#include "core/json.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

Json parse(std::string_view text) { return Json::parse(text, "file.json"); }
Error error_for(std::string_view text) {
  return error_of([&] { parse(text); });
}

TEST(Json, ReadsEveryKind) {
  const Json json = parse(R"({"a": [1, -2.5, "x", true, false, null], "b": {}})");
  const Json::Array& items = json.at("a").items();
  EXPECT_EQ(items[0].as_int(), 1);
  EXPECT_EQ(items[1].as_double(), -2.5);
  EXPECT_EQ(items[2].as_string(), "x");
  EXPECT_TRUE(items[3].as_bool());
  EXPECT_FALSE(items[4].as_bool());
  EXPECT_TRUE(items[5].is_null());
  EXPECT_TRUE(json.at("b").members().empty());
  EXPECT_EQ(json.find("c"), nullptr);
  for (const char* scalar : {"1", "\"x\"", "true", "null", " 1.5 "}) EXPECT_NO_THROW(parse(scalar)) << scalar;
}

TEST(Json, MembersKeepTheOrderOfTheText) {
  const Json json = parse(R"({"z": 1, "a": 2, "m": 3})");
  EXPECT_EQ(json.members()[0].first, "z");
  EXPECT_EQ(json.members()[2].first, "m");
}

TEST(Json, OfSeveralMembersOfOneNameTheLastCounts) {
  Json json = parse(R"({"a": 1, "b": 2, "a": 3})");
  EXPECT_EQ(json.at("a").as_int(), 3);
  EXPECT_EQ(json.members().size(), 3U);
  json.set("a", 4);
  EXPECT_EQ(json.at("a").as_int(), 4);
}

TEST(Json, IntegersKeepAllTheirBits) {
  EXPECT_EQ(parse("9223372036854775807").as_int(), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(parse("-9223372036854775808").as_int(), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(parse("-0").as_int(), 0);
}

TEST(Json, IntegersBeyond64BitsAreDoubles) {
  EXPECT_EQ(parse("9223372036854775808").as_double(), 9223372036854775808.0);
  EXPECT_EQ(parse("18446744073709551616").as_double(), 18446744073709551616.0);
  EXPECT_EQ(parse("-9223372036854775809").as_double(), -9223372036854775809.0);
  EXPECT_EQ(parse("1" + std::string(300, '0')).as_double(), 1e300);
  EXPECT_EQ(error_of([] { parse("9223372036854775808").as_int(); }).kind(), ErrorKind::corrupted);
}

TEST(Json, NumbersRoundToTheNearestDouble) {
  EXPECT_EQ(parse("0.1").as_double(), 0.1);
  EXPECT_EQ(parse("1e-12").as_double(), 1e-12);
  EXPECT_EQ(parse("5e-324").as_double(), 5e-324);
  EXPECT_EQ(parse("2.2250738585072011e-308").as_double(), 2.2250738585072011e-308);
  EXPECT_EQ(parse("1E+2").as_double(), 100.0);
  EXPECT_EQ(parse("1E+2").as_int(), 100);
}

TEST(Json, NumbersBeyondDoubleAreRefusedWithTheirPlace) {
  const Error error = error_for("{\"a\":\n  1e999}");
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error.what(), "line 2")) << error.what();
  EXPECT_TRUE(contains(error.what(), "overflow")) << error.what();
}

TEST(Json, ConstantsThatPythonWritesAreNumbers) {
  const Json json = parse(R"({"a": NaN, "b": [Infinity, -Infinity], "NaN": "NaN \" Infinity", "c": 1E0})");
  EXPECT_TRUE(std::isnan(json.at("a").as_double()));
  EXPECT_EQ(json.at("b").items()[0].as_double(), std::numeric_limits<double>::infinity());
  EXPECT_EQ(json.at("b").items()[1].as_double(), -std::numeric_limits<double>::infinity());
  EXPECT_EQ(json.at("NaN").as_string(), "NaN \" Infinity");
  EXPECT_EQ(json.at("c").as_double(), 1.0) << "a spelling that NaN might be replaced by";
  EXPECT_TRUE(std::isnan(parse("NaN").as_double()));
}

TEST(Json, ErrorsAfterPythonsConstantsHaveTheirOwnPlace) {
  EXPECT_TRUE(contains(error_for("{\"a\": NaN,\n \"b\" 1}").what(), "line 2, column 6"));
  EXPECT_EQ(error_for("{\"a\": NaNa}").kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_for("{\"a\": nan}").kind(), ErrorKind::corrupted);
}

TEST(Json, AByteOrderMarkIsSkipped) { EXPECT_EQ(parse("\xef\xbb\xbf{\"a\": 1}").at("a").as_int(), 1); }

TEST(Json, EscapesAndCharactersBeyondAscii) {
  EXPECT_EQ(parse(R"("\u00e9\n\ud83d\ude00\u0000x")").as_string(), std::string("\u00e9\n\U0001F600\0x", 9));
  EXPECT_EQ(parse("\"\u4e2d\u2581\"").as_string(), "\u4e2d\u2581");
}

TEST(Json, BrokenTextIsAnErrorWithLineAndColumn) {
  const std::pair<const char*, const char*> broken[] = {
      {"", "line 1, column 1"},
      {"{", "line 1, column 2"},
      {"{\n  \"a\": 1,\n  \"b\" 2\n}", "line 3, column 7"},
      {"[1, 2,]", "line 1, column 7"},
      {"[1] 2", "line 1, column 5"},
      {"{\"a\": tru}", "line 1, column"},
      {"\"abc", "line 1, column"},
      {"\"\t\"", "line 1, column 2"},
      {"{'a': 1}", "line 1, column 2"},
      {"[01]", "line 1, column 3"},
      {"// no comment\n1", "line 1, column"},
  };
  for (const auto& [text, place] : broken) {
    const Error error = error_for(text);
    EXPECT_EQ(error.kind(), ErrorKind::corrupted) << text;
    EXPECT_EQ(error.where(), "file.json");
    EXPECT_TRUE(contains(error.message(), place)) << text << ": " << error.what();
  }
}

TEST(Json, InvalidUtf8IsAnErrorThatCanBePrinted) {
  for (const char* text : {"\"\xff\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"", R"("\ud800")"}) {
    const Error error = error_for(text);
    EXPECT_EQ(error.kind(), ErrorKind::corrupted);
    for (const char c : error.message()) EXPECT_GE(c, 0x20);
  }
}

TEST(Json, BytesThatAreNoUtf8AreWrittenAsReplacementCharacters) {
  const std::pair<std::string, std::string> written[] = {
      {"\u00e9\u4e2d\U0001F600", "\u00e9\u4e2d\U0001F600"},
      {"a\xff"
       "b",
       "a\ufffd"
       "b"},
      {"\xc3", "\ufffd"},
      {"\xc0\x80", "\ufffd\ufffd"},
      {"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
      {"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
  };
  for (const auto& [text, expected] : written) {
    const Json json{text};
    EXPECT_EQ(json.dump(), "\"" + expected + "\"");
    EXPECT_NO_THROW(parse(json.dump()));
  }
  Json object;
  EXPECT_EQ(object.set("\xfe", 1).dump(), "{\"\ufffd\":1}");
}

TEST(Json, AZeroByteEndsNothing) {
  EXPECT_TRUE(contains(error_for(std::string_view("{}\0", 3)).what(), "line 1, column 3: a zero byte"));
  EXPECT_EQ(error_for(std::string_view("{}\0garbage", 10)).kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_for(std::string_view("[1,\0 2]", 7)).kind(), ErrorKind::corrupted);
  EXPECT_EQ(error_for(std::string_view("\"a\0b\"", 5)).kind(), ErrorKind::corrupted);
}

TEST(Json, ErrorsAreShortHoweverLongTheText) {
  EXPECT_LT(std::string(error_for("\"" + std::string(1 << 20, 'x')).what()).size(), 300U);
  EXPECT_LT(std::string(error_for("[" + std::string(1 << 20, 'x') + "]").what()).size(), 300U);
}

TEST(Json, NestingIsTakenTo512LevelsAndRefusedBeyond) {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  EXPECT_EQ(parse(nested(512)).dump(), nested(512));
  EXPECT_TRUE(contains(error_for(nested(513)).what(), "512"));
  EXPECT_TRUE(contains(error_for(std::string(1'000'000, '[')).what(), "512"));
  std::string objects;
  for (int i = 0; i < 600; ++i) objects += "{\"a\":";
  EXPECT_TRUE(contains(error_for(objects).what(), "512"));
}

TEST(Json, ValuesOfAnotherKindAreErrorsThatSayWhich) {
  EXPECT_EQ(error_of([] { parse("\"x\"").as_int(); }).message(), "found string, expected integer");
  EXPECT_EQ(error_of([] { parse("1.5").as_int(); }).message(), "found number, expected integer");
  EXPECT_EQ(error_of([] { parse("1").as_string(); }).message(), "found integer, expected string");
  EXPECT_EQ(error_of([] { parse("[]").members(); }).message(), "found array, expected object");
  EXPECT_EQ(error_of([] { parse("{}").at("a"); }).message(), "field \"a\" is missing");
}

TEST(Json, WhatIsWrittenIsReadBack) {
  Json json;
  json.set("text", "a \"quoted\" \\ line\n\x01").set("number", 0.1).set("whole", 3.0).set("big", std::int64_t{1} << 60);
  json.set("list", Json::Array{1, "x", Json()}).set("empty", Json::object()).set("flag", true);
  json.set("nan", std::numeric_limits<double>::quiet_NaN());
  for (const int indent : {-1, 0, 2}) {
    const Json read = parse(json.dump(indent));
    EXPECT_EQ(read.at("text").as_string(), json.at("text").as_string());
    EXPECT_EQ(read.at("number").as_double(), 0.1);
    EXPECT_FALSE(read.at("whole").is_int());
    EXPECT_EQ(read.at("big").as_int(), std::int64_t{1} << 60);
    EXPECT_TRUE(read.at("nan").is_null());
    EXPECT_EQ(read.at("list").items().size(), 3U);
  }
  EXPECT_EQ(Json(Json::Array{1, 2}).dump(), "[1,2]");
  EXPECT_EQ(Json(Json::Array{1, 2}).dump(2), "[1, 2]");
}

// A tokenizer's vocabulary: the text that start-up time depends on. The bound is far above what is measured (35 ms on a
// Zen 4 core for this size), so that only a slip into quadratic time or a slower parser shows.
TEST(Json, SeventeenMegabytesAreReadInAFractionOfASecond) {
  std::string text = "{\"vocab\": [";
  for (int i = 0; text.size() < 17'000'000; ++i) {
    text +=
        (i > 0 ? ",\n" : "\n") + ("[\"\u2581token" + std::to_string(i)) + "\", -" + std::to_string(i % 20) + ".12345]";
  }
  text += "]}";
  const std::clock_t start = std::clock();  // of this process only, as other work on the machine is not ours
  const Json json = parse(text);
  const double milliseconds = 1e3 * static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
  EXPECT_GT(json.at("vocab").items().size(), 400'000U);
#ifdef NDEBUG
  const double most = kSanitized ? 10'000 : 200;
#else
  const double most = 10'000;
#endif
  EXPECT_LT(milliseconds, most);
}

}  // namespace
}  // namespace accelerate
