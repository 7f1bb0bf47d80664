// Lines out, lines in; and lines that come from somebody who means no good.
#include "core/json.hpp"
#include "records/record_json.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

std::string example_lines(const Folder& folder) {
  Records records(folder.path() / "example.sqlite");
  records.add(record_with(measurement(), "f32"));
  records.add(record_with(agreement(), "int8"));
  records.add(record_with(LayerChoice{.measure = "m", .kept_in = "f32", .layers = {{"a.b", 0.25}}, .examined = 3}));
  records.add(record_with(BatchChoice{.tokens = 8, .threads = 1, .bound = "none", .batch = 4, .throughput_per_s = 9}));
  return records.export_lines({});
}

std::string line_of(const std::string& lines, std::size_t number) {
  std::size_t begin = 0;
  for (; number > 1; --number) begin = lines.find('\n', begin) + 1;
  return lines.substr(begin, lines.find('\n', begin) - begin);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what << " is not in " << text;
  return at == std::string::npos ? text : text.replace(at, what.size(), by);
}

TEST(Exchange, WhatGoesOutComesInAgain) {
  const Folder folder;
  const std::string lines = example_lines(folder);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 4);
  Records other(folder.path() / "other.sqlite");
  const Imported imported = other.import_lines(lines, "lines");
  EXPECT_EQ(imported.added, 4U);
  EXPECT_EQ(imported.known, 0U);
  EXPECT_EQ(other.export_lines({}), lines) << "oldest first, and nothing is lost";
}

TEST(Exchange, WhatIsThereAlreadyIsCountedAndLeftAlone) {
  const Folder folder;
  const std::string lines = example_lines(folder);
  Records records(folder.path() / "example.sqlite");
  const Imported again = records.import_lines(lines + "\r\n\n" + line_of(lines, 1), "lines");
  EXPECT_EQ(again.added, 0U);
  EXPECT_EQ(again.known, 5U);
  const std::string changed = replaced(line_of(lines, 1), "\"random tokens\"", "\"changed\"");
  EXPECT_EQ(records.import_lines(changed, "lines").known, 1U);
  EXPECT_EQ(records.export_lines({}), lines);
}

TEST(Exchange, APathFromElsewhereReplacesNoneOfHere) {
  const Folder folder;
  const std::string lines = example_lines(folder);
  Records records(folder.path() / "other.sqlite");
  Record here = record_with(measurement());
  here.model.path = "/here";
  const std::string id = records.add(here);
  EXPECT_EQ(records.import_lines(lines, "lines").added, 4U);
  EXPECT_EQ(records.find(id).model.path, "/here");
}

TEST(Exchange, OnlyWhatAFilterWantsGoesOut) {
  const Folder folder;
  example_lines(folder);
  const Records records(folder.path() / "example.sqlite");
  const std::string lines = records.export_lines({.kind = Kind::agreement});
  EXPECT_TRUE(contains(lines, "\"kind\":\"agreement\"")) << lines;
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 1);
}

struct Hostile {
  const char* what;
  std::string line;
  const char* expected;  // in the error
};

std::vector<Hostile> hostile_lines(const std::string& good) {
  return {
      {"no JSON", "{\"schema\": 1,", "line 3"},
      {"no object", "[1, 2]", "is array, expected an object"},
      {"a member too few", replaced(good, "\"batch\":1,", ""), "field content.batch: is missing"},
      {"a member too many", replaced(good, "\"batch\":1,", "\"batch\":1,\"bitch\":2,"),
       "field content.bitch: is unknown"},
      {"text for a number", replaced(good, "\"batch\":1,", "\"batch\":\"1\","),
       "field content.batch: found string, expected integer"},
      {"a fraction for a count", replaced(good, "\"batch\":1,", "\"batch\":1.5,"), "field content.batch"},
      {"a count beyond its type", replaced(good, "\"threads\":2,", "\"threads\":4294967298,"),
       "field content.threads: is 4294967298"},
      {"a number beyond 64 bits", replaced(good, "\"batch\":1,", "\"batch\":123456789012345678901,"),
       "field content.batch"},
      {"not a number", replaced(good, "\"spread\":0.01", "\"spread\":NaN"), "field content.spread: is not finite"},
      {"a negative time", replaced(good, "\"p50_ms\":10.0", "\"p50_ms\":-10.0"), "field content.p50_ms"},
      {"an id that is none", replaced(good, "\"id\":\"", "\"id\":\"x"), "field id"},
      {"a hash that is none", replaced(good, std::string(64, 'a'), std::string(63, 'a')), "field model.content_hash"},
      {"a kind that is none", replaced(good, "\"measurement\"", "\"gossip\""), "no kind of record is called"},
      {"another kind's content", replaced(good, "\"measurement\"", "\"agreement\""), "field content."},
      {"a day that is none", replaced(good, "\"time\":\"20", "\"time\":\"99999"), "is no time"},
      {"an older schema than the first", replaced(good, "\"schema\":1", "\"schema\":0"), "field schema"},
      {"a zero byte", replaced(good, "random tokens", "random\\u0000tokens"), "field content.workload"},
      {"a long text", replaced(good, "random tokens", std::string(5000, 'x')), "field content.workload"},
      {"a part of another type", replaced(good, "\"device\":{", "\"device\":[],\"device_\":{"),
       "field device: is array, expected object"},
      {"deep nesting", std::string(100'000, '['), "line 3"},
      {"bytes that are no text", replaced(good, "random tokens", "random \xff"), "line 3"},
  };
}

TEST(Exchange, AHostileLineIsNamedAndNothingIsImported) {
  const Folder folder;
  const std::string lines = example_lines(folder);
  const std::string good = line_of(lines, 1);
  for (const Hostile& hostile : hostile_lines(good)) {
    Records records(folder.path() / "empty.sqlite");
    // Line 1 is good, line 2 is empty.
    const Error error =
        error_of([&] { records.import_lines(good + "\n\n" + hostile.line + "\n" + lines, "in.jsonl"); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input) << hostile.what << ": " << error.what();
    EXPECT_TRUE(contains(error.what(), "in.jsonl: line 3")) << hostile.what << ": " << error.what();
    EXPECT_TRUE(contains(error.what(), hostile.expected)) << hostile.what << ": " << error.what();
    EXPECT_TRUE(records.list({}).empty()) << hostile.what;
  }
}

TEST(Exchange, ALineOfANewerSchemaIsUnsupported) {
  const Folder folder;
  const std::string good = line_of(example_lines(folder), 1);
  Records records(folder.path() / "empty.sqlite");
  const Error error =
      error_of([&] { records.import_lines(replaced(good, "\"schema\":1", "\"schema\":50"), "in.jsonl"); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.what(), "in.jsonl: line 1: field schema: has schema version 50")) << error.what();
}

TEST(Exchange, TimesAreReadAsTheyAreWritten) {
  EXPECT_EQ(time_text(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(1795457530123), "2026-11-23T18:12:10.123Z");
  EXPECT_EQ(time_from("2026-11-23T18:12:10.123Z"), 1795457530123);
  EXPECT_EQ(time_from("2026-11-23"), 1795392000000);
  for (const char* wrong : {"", "2026", "2026-13-01", "2026-02-30", "2026-11-23T25:00:00.000Z", "2026-11-23 18:12:10",
                            "1969-12-31", "-026-11-23", "20261123T18:12:10.123Z-"}) {
    EXPECT_EQ(error_of([&] { time_from(wrong); }).kind(), ErrorKind::invalid_input) << wrong;
  }
}

}  // namespace
}  // namespace accelerate::records::test
