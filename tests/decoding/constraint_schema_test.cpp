// Schemas accept what jsonschema calls valid, refuse what it calls invalid, and say what they do not understand.
#include <chrono>

#include "checkpoint/temporary_folder.hpp"
#include "core/file.hpp"
#include "decoding/constraint_helpers.hpp"
#include "decoding/schema_validator.hpp"

namespace accelerate::decoding::constraint {
namespace {

Json golden_schemas() {
  const std::filesystem::path path = goldens() / "decoding" / "schemas.json";
  return Json::parse(read_file(path), path.string());
}

TEST(ConstraintSchema, AcceptsAndRefusesAsJsonschemaDoes) {
  std::size_t texts = 0;
  const Json rows = golden_schemas();
  for (const Json& row : rows.items()) {
    SCOPED_TRACE(row.at("schema").dump());
    Tried tried = Tried::schema(row.at("schema").dump());
    const SchemaValidator validator(row.at("schema"));
    for (const Json& text : row.at("valid").items()) {
      EXPECT_TRUE(tried.accepts(text.as_string())) << text.as_string();
      EXPECT_TRUE(validator.valid(Json::parse(text.as_string(), "text"))) << text.as_string();
      ++texts;
    }
    for (const Json& text : row.at("invalid").items()) {
      EXPECT_FALSE(tried.accepts(text.as_string())) << text.as_string();
      EXPECT_FALSE(validator.valid(Json::parse(text.as_string(), "text"))) << text.as_string();
      ++texts;
    }
  }
  EXPECT_GT(texts, 500U);
}

// Bytes at random under the schema, where they come to an end, are JSON that is valid under it.
TEST(ConstraintSchema, MakesOnlyValidJson) {
  constexpr int kTexts = kSanitized ? 10 : 60;
  std::mt19937 random(5);
  const Json rows = golden_schemas();
  for (const Json& row : rows.items()) {
    SCOPED_TRACE(row.at("schema").dump());
    Tried tried = Tried::schema(row.at("schema").dump());
    const SchemaValidator validator(row.at("schema"));
    std::size_t ended = 0;
    for (int i = 0; i < kTexts; ++i) {
      const std::string text = tried.random_text(random, 8, 3000);
      if (!tried.accepts(text)) continue;
      ++ended;
      ASSERT_TRUE(validator.valid(Json::parse(text, "text"))) << text;
    }
    EXPECT_GT(ended, 0U);
  }
}

TEST(ConstraintSchema, HoldsWhiteSpaceWithinBounds) {
  Tried tried = Tried::schema(R"({"type":"object","properties":{"a":{"type":"array"}},"required":["a"]})");
  EXPECT_TRUE(tried.accepts("{\"a\":[1,2]}"));
  EXPECT_TRUE(tried.accepts("{ \"a\": [ 1, 2 ] }"));
  EXPECT_TRUE(tried.accepts("{\r\n\t\"a\": [\n    1,\n    2\n  ]\n}"));
  EXPECT_FALSE(tried.begins("{  "));
  EXPECT_FALSE(tried.begins("{\n\n"));
  EXPECT_FALSE(tried.begins(" "));
  EXPECT_FALSE(tried.begins("{\"a\":[1,2]} "));
  EXPECT_FALSE(tried.begins("{\n" + std::string(25, ' ')));
  EXPECT_FALSE(tried.begins("{\"a\" :"));
}

TEST(ConstraintSchema, HoldsNumbersWithinBounds) {
  Tried tried = Tried::schema("{}");
  EXPECT_TRUE(tried.accepts("-123456789012345678.12345678901234567e-99"));
  EXPECT_FALSE(tried.begins("1234567890123456789"));
  EXPECT_FALSE(tried.begins("0.123456789012345678"));
  EXPECT_FALSE(tried.begins("1e100"));
  for (const std::string bad : {"01", "+1", ".5", "--1", "NaN"}) EXPECT_FALSE(tried.begins(bad)) << bad;
  for (const std::string open : {"1.", "1e", "-", "1e+"}) {
    EXPECT_TRUE(tried.begins(open)) << open;
    EXPECT_FALSE(tried.accepts(open)) << open;
  }
}

TEST(ConstraintSchema, KnowsTheEscapesOfStrings) {
  Tried tried = Tried::schema(R"({"type":"string"})");
  EXPECT_TRUE(tried.accepts(R"("\"\\\/\b\f\n\r\té\ud83d\ude00\uD7FF")"));
  for (const std::string bad :
       {R"("\x)", R"("\u12g)", R"("\ude00)", R"("\ud83dx)", R"("\ud83d\u0041)", "\"\n", "\"\x80"}) {
    EXPECT_FALSE(tried.begins(bad)) << bad;
  }
}

// Bounds of integers, against counting.
TEST(ConstraintSchema, CountsIntegersOneByOne) {
  std::mt19937 random(6);
  for (int i = 0; i < (kSanitized ? 10 : 60); ++i) {
    const int low = static_cast<int>(random() % 2400) - 1200, high = low + static_cast<int>(random() % 1300);
    const std::string bounds = "\"minimum\":" + std::to_string(low) + ",\"maximum\":" + std::to_string(high);
    SCOPED_TRACE(bounds);
    Tried integer = Tried::schema("{\"type\":\"integer\"," + bounds + "}");
    Tried number = Tried::schema("{\"type\":\"number\"," + bounds + "}");
    for (int value = -2600; value <= 2600; ++value) {
      const std::string text = std::to_string(value);
      ASSERT_EQ(integer.accepts(text), value >= low && value <= high) << text;
      ASSERT_EQ(number.accepts(text), value >= low && value <= high) << text;
      const std::string half = text + ".50";
      if (value != 0) {
        ASSERT_EQ(number.accepts(half),
                  Json::parse(half, "").as_double() >= low && Json::parse(half, "").as_double() <= high)
            << half;
      }
    }
  }
}

// A branch stands beside the part that it was chosen for, whatever else leads to that part.
TEST(ConstraintSchema, ChoosesBranchesOfPartsOfAllOfAndOfReferences) {
  Tried length = Tried::schema(R"({"type":"string","allOf":[{"anyOf":[{"maxLength":3}]}]})");
  EXPECT_TRUE(length.accepts("\"abc\""));
  EXPECT_FALSE(length.begins("\"abcd"));
  Tried required = Tried::schema(R"({"type":"object","properties":{"a":{"type":"integer"}},
      "allOf":[{"oneOf":[{"required":["a"]},{"required":["b"]}]}]})");
  EXPECT_TRUE(required.accepts("{\"a\":1}"));
  EXPECT_TRUE(required.accepts("{\"b\":null}"));
  EXPECT_FALSE(required.accepts("{}"));
  Tried referred = Tried::schema(
      R"({"type":"string","$ref":"#/$defs/a","$defs":{"a":{"anyOf":[{"maxLength":3},{"minLength":5}]}}})");
  for (const std::size_t size : {3U, 4U, 5U}) {
    EXPECT_EQ(referred.accepts("\"" + std::string(size, 'x') + "\""), size != 4) << size;
  }
  // Two choices, of which the first says nothing more once it is made.
  Tried two = Tried::schema(R"({"type":"string","allOf":[{"$ref":"#/$defs/a"},{"$ref":"#/$defs/b"}],"$defs":{
      "a":{"anyOf":[{"minLength":2},{"$ref":"#/$defs/b"}]},"b":{"oneOf":[{"maxLength":3},{"minLength":6}]}}})");
  for (const std::size_t size : {1U, 2U, 3U, 4U, 5U, 6U}) {
    EXPECT_EQ(two.accepts("\"" + std::string(size, 'x') + "\""), size <= 3 || size >= 6) << size;
  }
  Tried both = Tried::schema(R"({"type":"string","allOf":[{"anyOf":[{"maxLength":3},{"minLength":5}]},
      {"anyOf":[{"minLength":2},{"maxLength":1}]}]})");
  for (const std::size_t size : {0U, 2U, 4U, 6U}) {
    EXPECT_EQ(both.accepts("\"" + std::string(size, 'x') + "\""), size != 4) << size;
  }
}

std::string refused(const std::string& schema, ErrorKind kind = ErrorKind::invalid_input) {
  return error_of([&] { schema_automaton(schema); }, kind);
}

TEST(ConstraintSchema, NamesWhatCannotBeMet) {
  EXPECT_EQ(refused(R"({"properties":{"a":{"type":"integer","minimum":5,"maximum":3}},"required":["a"]})"),
            "json_schema#/properties/a/maximum: leaves no number: at least 5 and at most 3");
  EXPECT_EQ(refused(R"({"type":"number","exclusiveMinimum":3,"maximum":3})"),
            "json_schema#/maximum: leaves no number: at least 3 and at most 3");
  EXPECT_EQ(refused(R"({"type":"object","properties":{"a":{}},"required":["a","b/c"],"additionalProperties":false})"),
            "json_schema#/required/1: requires \"b/c\", which /additionalProperties forbids");
  EXPECT_EQ(refused(R"({"type":"object","properties":{"a":false},"required":["a"]})"),
            "json_schema#/required/0: requires \"a\", which /properties/a forbids");
  EXPECT_EQ(refused(R"({"properties":{"a/b":{"enum":[]}},"required":["a/b"]})"),
            "json_schema#/properties/a~1b/enum: is empty, or has no value that is asked for elsewhere too");
  EXPECT_EQ(refused(R"({"type":"integer","enum":["a"]})"),
            "json_schema#/enum: is empty, or has no value that is asked for elsewhere too");
  EXPECT_EQ(refused(R"({"type":"string","minLength":4,"maxLength":3})"),
            "json_schema#/maxLength: is 3, below the least length 4");
  EXPECT_EQ(refused(R"({"type":"array","minItems":3,"prefixItems":[{},{}],"items":false})"),
            "json_schema#/minItems: asks for 3 items or more where there are at most 2");
  EXPECT_EQ(refused(R"({"allOf":[{"type":"string"},{"type":"integer"}]})"),
            "json_schema#/allOf/1/type: leaves no type that a value could be of");
  EXPECT_EQ(refused("false"), "json_schema#: is false: no value meets it");
  EXPECT_EQ(refused(R"({"anyOf":[]})"), "json_schema#/anyOf: is empty: no value meets it");
  EXPECT_EQ(
      refused(
          R"({"$ref":"#/$defs/n","$defs":{"n":{"type":"object","properties":{"n":{"$ref":"#/$defs/n"}},"required":["n"]}}})"),
      "json_schema#/$defs/n: cannot be met: it refers to itself without an end");
  // Where there is a way around it, it is taken.
  EXPECT_TRUE(
      Tried::schema(R"({"anyOf":[{"type":"integer","minimum":5,"maximum":3},{"type":"null"}]})").accepts("null"));
}

TEST(ConstraintSchema, NamesWhatIsNotSupported) {
  const auto unsupported = [](const std::string& schema) { return refused(schema, ErrorKind::unsupported); };
  EXPECT_EQ(unsupported(R"({"properties":{"a":{"not":{}}}})"), "json_schema#/properties/a/not: is not supported");
  EXPECT_EQ(unsupported(R"({"items":{"uniqueItems":true}})"), "json_schema#/items/uniqueItems: is not supported");
  EXPECT_EQ(unsupported(R"({"patternProperties":{"a":{}}})"), "json_schema#/patternProperties: is not supported");
  EXPECT_EQ(unsupported(R"({"anyOf":[{"type":"number","multipleOf":0.5}]})"),
            "json_schema#/anyOf/0/multipleOf: is not supported");
  EXPECT_NE(unsupported(R"({"type":"string","format":"binary"})").find("json_schema#/format: is \"binary\""),
            std::string::npos);
  EXPECT_NE(unsupported(R"({"$ref":"http://x/y"})").find("json_schema#/$ref: refers to \"http://x/y\""),
            std::string::npos);
  EXPECT_NE(unsupported(R"({"type":"string","pattern":"a","maxLength":3})").find("json_schema#/pattern:"),
            std::string::npos);
  EXPECT_NE(unsupported(R"({"type":"number","minimum":0.5})").find("json_schema#/minimum:"), std::string::npos);
}

TEST(ConstraintSchema, NamesWhatIsNoSchema) {
  EXPECT_NE(refused("{\"a\":").find("json_schema"), std::string::npos);
  EXPECT_EQ(refused("3"), "json_schema#: found integer, expected a schema");
  EXPECT_EQ(refused(R"({"type":"int"})"), "json_schema#/type: is \"int\", expected a type");
  EXPECT_EQ(refused(R"({"properties":[]})"), "json_schema#/properties: is no object");
  EXPECT_EQ(refused(R"({"type":"string","minLength":-1})"), "json_schema#/minLength: is -1, expected a count");
  EXPECT_EQ(refused(R"({"$ref":"#/$defs/x"})"), "json_schema#/$ref: refers to \"#/$defs/x\", which is not there");
  EXPECT_EQ(refused(R"({"$ref":"#"})"), "json_schema#: refers to itself with nothing in between");
  EXPECT_EQ(refused(R"({"anyOf":[{"$ref":"#"},{"type":"null"}]})"),
            "json_schema#: refers to itself with nothing in between");
  EXPECT_EQ(refused(R"({"$ref":"#/$defs/a","$defs":{"a":{"oneOf":[{"$ref":"#/$defs/b"},true]},
      "b":{"allOf":[{"anyOf":[{"$ref":"#/$defs/a"}]}]}}})"),
            "json_schema#/$defs/a: refers to itself with nothing in between");
  EXPECT_EQ(refused(R"j({"type":"string","pattern":"a(?=b)"})j"),
            "json_schema#/pattern: look-around is not supported, at character 2");
}

// Schemas that are made to cost: each ends in time, with an automaton or an error.
TEST(ConstraintSchema, BoundsWhatHostileSchemasCost) {
  const auto began = std::chrono::steady_clock::now();
  const auto defs = [](int count, const auto& each) {
    std::string out;
    for (int i = 0; i < count; ++i) out += (i > 0 ? "," : "") + ("\"d" + std::to_string(i) + "\":") + each(i);
    return "{\"$ref\":\"#/$defs/d0\",\"$defs\":{" + out + "}}";
  };
  const auto reference = [](int i) { return "{\"$ref\":\"#/$defs/d" + std::to_string(i) + "\"}"; };
  std::string words, nested = "{}";
  for (int i = 0; i < (kSanitized ? 10'000 : 100'000); ++i)
    words += (i > 0 ? ",\"w" : "\"w") + std::to_string(i * 7919) + "\"";
  for (int i = 0; i < 120; ++i) nested = "{\"items\":" + nested + "}";
  // Doubled at each step: 2^40 if each were there by itself.
  const auto doubled = defs(41, [&](int i) {
    return i == 40 ? "{\"type\":\"null\"}"
                   : "{\"prefixItems\":[" + reference(i + 1) + "," + reference(i + 1) + "],\"items\":false}";
  });
  const auto doubled_all = defs(41, [&](int i) {
    return i == 40 ? "{\"type\":\"null\"}" : "{\"allOf\":[" + reference(i + 1) + "," + reference(i + 1) + "]}";
  });
  std::string product = "{\"allOf\":[";
  for (int i = 0; i < 12; ++i) {
    product += i > 0 ? ",{\"anyOf\":[" : "{\"anyOf\":[";
    for (int j = 0; j < 12; ++j) {
      product += (j > 0 ? "," : "") +
                 ("{\"properties\":{\"p" + std::to_string(i) + "\":{\"const\":" + std::to_string(j) + "}}}");
    }
    product += "]}";
  }
  product += "]}";
  EXPECT_TRUE(Tried::schema("{\"enum\":[" + words + "]}").accepts("\"w7919\""));
  EXPECT_TRUE(Tried::schema(nested).accepts(std::string(121, '[') + std::string(121, ']')));
  EXPECT_TRUE(Tried::schema(doubled).accepts("[[],[[]]]"));
  EXPECT_TRUE(Tried::schema(doubled_all).accepts("null"));
  // A million states are slow to make there, and these are made as the others are.
  if (!kSanitized) {
    EXPECT_NE(refused(R"({"type":"string","pattern":"((a{1000}){1000}){1000}"})").find("is too large"),
              std::string::npos);
    EXPECT_NE(refused(product).find(" too "), std::string::npos);  // large, or many
    EXPECT_NE(
        refused(R"({"items":{"type":"array","minItems":100000,"items":{"minLength":5000}}})").find("is too large"),
        std::string::npos);
  }
  EXPECT_NE(refused(R"({"type":"string","minLength":10000000})", ErrorKind::unsupported).find("json_schema#/minLength"),
            std::string::npos);
  constexpr std::size_t kLong = kSanitized ? 4095 : 65'535;
  EXPECT_TRUE(Tried::schema("{\"type\":\"string\",\"maxLength\":" + std::to_string(kLong) + "}")
                  .accepts("\"" + std::string(kLong, 'x') + "\""));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(240));
}

std::string list_of(int count, const auto& each) {
  std::string out;
  for (int i = 0; i < count; ++i) out += (i > 0 ? "," : "") + each(i);
  return out;
}

TEST(ConstraintSchema, BoundsWhatManyPartsTogetherCost) {
  const auto choice = [](int i) { return "{\"anyOf\":[{\"maxLength\":" + std::to_string(i) + "}]}"; };
  EXPECT_NE(refused("{\"allOf\":[" + list_of(900, choice) + "]}").find("too many schemas"), std::string::npos);
  // 4096 ways, each of which would hold a hundred parts.
  const auto part = [](int i) {
    return i < 88 ? std::string("{\"minimum\":0}") : std::string("{\"anyOf\":[{\"minimum\":1},{\"minimum\":2}]}");
  };
  if (!kSanitized) {
    EXPECT_NE(refused("{\"type\":\"integer\",\"allOf\":[" + list_of(100, part) + "]}").find("too many schemas"),
              std::string::npos);
    const auto in_items = [&](int i) { return "{\"items\":" + part(i) + "}"; };
    EXPECT_NE(refused("{\"maxItems\":30000,\"allOf\":[" + list_of(88, in_items) + "]}").find("too many schemas"),
              std::string::npos);
  }
  const auto property = [](int i) { return "\"p" + std::to_string(i) + "\":{\"const\":" + std::to_string(i) + "}"; };
  const std::string long_name =
      "{\"properties\":{\"" + std::string(100'000, 'n') + "\":{\"properties\":{" + list_of(2000, property) + "}}}}";
  EXPECT_EQ(refused(long_name), "json_schema#/properties: holds a name, or names, of more than 4096 bytes together");
}

TEST(ConstraintSchema, FindsPropertiesByName) {
  constexpr int kCount = kSanitized ? 2000 : 20'000;
  const auto began = std::chrono::steady_clock::now();
  const auto property = [](int i) { return "\"p" + std::to_string(100'000 + i) + "\":{\"const\":1}"; };
  Tried tried = Tried::schema("{\"properties\":{" + list_of(kCount, property) + "}}");
  EXPECT_TRUE(tried.accepts("{\"p100007\":1,\"p" + std::to_string(99'999 + kCount) + "\":1}"));
  EXPECT_LT(std::chrono::steady_clock::now() - began, std::chrono::seconds(kSanitized ? 60 : 4));
}

// Two ways that part only at the end, at each level: what is kept grows with the depth, not with 2 to its power.
TEST(ConstraintSchema, SharesStacksOfAmbiguousWays) {
  Tried tried = Tried::schema(R"({"$ref":"#/$defs/n","$defs":{"n":{"anyOf":[
      {"type":"object","properties":{"a":{"$ref":"#/$defs/n"}},"required":["a"]},
      {"type":"object","properties":{"a":{"$ref":"#/$defs/n"},"b":{"type":"integer"}},"required":["a","b"]},
      {"type":"null"}]}}})");
  std::string open, close;
  for (int i = 0; i < 300; ++i) {
    open += "{\"a\":";
    close += i % 3 == 0 ? ",\"b\":1}" : "}";
  }
  EXPECT_TRUE(tried.accepts(open + "null" + close));
  EXPECT_FALSE(tried.accepts(open + "null" + close + "}"));
  EXPECT_LT(tried.machine().bytes(), std::size_t{64} << 20);
}

TEST(ConstraintSchema, GoesAsDeepAsTheText) {
  Tried tried = Tried::schema("{}");
  EXPECT_TRUE(tried.accepts(std::string(20'000, '[') + std::string(20'000, ']')));
  EXPECT_FALSE(tried.accepts(std::string(20'000, '[') + std::string(19'999, ']') + "}"));
}

}  // namespace
}  // namespace accelerate::decoding::constraint
