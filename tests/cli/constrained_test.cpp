// Output that keeps to an expression or a schema, from the command line.
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "core/json.hpp"
#include "models/golden.hpp"

namespace accelerate::cli::test {
namespace {

Finished run(std::vector<std::string> more) {
  std::vector<std::string> words{"run", (decoders_folder() / "llama").string(), "Hi", "--max-new-tokens", "100"};
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

TEST(Constrained, TextsMatchAnExpression) {
  const Finished found = run({"--regex", "x{3}(yes|no)"});
  EXPECT_EQ(found.code, 0) << found.err;
  EXPECT_TRUE(found.out == "xxxyes\n" || found.out == "xxxno\n") << found.out;
}

TEST(Constrained, TakesASchemaAsAFileOrAsItIs) {
  const std::string schema = R"({"type":"object","properties":{"n":{"enum":[10,20]}},"required":["n"]})";
  const Folder folder;
  write(folder / "schema.json", schema);
  const Finished text = run({"--json-schema", " " + schema}),
                 file = run({"--json-schema", (folder / "schema.json").string()});
  EXPECT_EQ(text.code, 0) << text.err;
  EXPECT_EQ(Json::parse(text.out, "out").at("n").as_int() % 10, 0) << text.out;
  EXPECT_EQ(file.out, text.out);
}

TEST(Constrained, SaysWhatIsWrong) {
  const Finished both = run({"--regex", "a", "--json-schema", "{}"});
  EXPECT_EQ(both.code, 2);
  EXPECT_NE(both.err.find("--regex and --json-schema are given"), std::string::npos) << both.err;
  const Finished regex = run({"--regex", "a(b"});
  EXPECT_NE(regex.code, 0);
  EXPECT_NE(regex.err.find("regex: a ( without its ), at character 2"), std::string::npos) << regex.err;
  const Finished schema = run({"--json-schema", R"({"properties":{"a":{"not":{}}}})"});
  EXPECT_NE(schema.code, 0);
  EXPECT_NE(schema.err.find("json_schema#/properties/a/not: is not supported"), std::string::npos) << schema.err;
  EXPECT_NE(run({"--json-schema", "nowhere.json"}).err.find("nowhere.json"), std::string::npos);
}

// Only texts that are generated can keep to it.
TEST(Constrained, IsForTextGeneration) {
  const Finished found = run_program({"run", fixture("bert").string(), "a text", "--regex", "a"});
  EXPECT_EQ(found.code, 2);
  EXPECT_NE(found.err.find("text-generation"), std::string::npos) << found.err;
}

}  // namespace
}  // namespace accelerate::cli::test
