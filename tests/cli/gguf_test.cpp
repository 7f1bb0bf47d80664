// A GGUF file where a folder is expected.
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {
namespace {

const std::filesystem::path kFile = std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/gguf/llama.gguf";

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Gguf, InspectShowsItsFactsAsAFolders) {
  const Finished done = run_program({"inspect", kFile.string()});
  EXPECT_EQ(done.code, 0) << done.err;
  EXPECT_TRUE(contains(done.out, "LlamaForCausalLM (llama)")) << done.out;
  EXPECT_TRUE(contains(done.out, "Q4_1")) << done.out;
  EXPECT_TRUE(contains(done.out, "2 of 32 wide, 4 heads")) << done.out;
  EXPECT_TRUE(contains(done.out, "2048 tokens")) << done.out;
}

TEST(Gguf, TokenizeGivesIdsAndTokens) {
  const Finished done = run_program({"tokenize", kFile.string(), "In the beginning", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const Finished folder =
      run_program({"tokenize", kFile.string(), "In the beginning", "--json", "--no-special-tokens"});
  const Json with = Json::parse(done.out, "").items().at(0), without = Json::parse(folder.out, "").items().at(0);
  EXPECT_EQ(with.at("ids").items().size(), without.at("ids").items().size() + 1);
  EXPECT_EQ(with.at("tokens").items().at(0).as_string(), "<s>");
  EXPECT_EQ(with.at("tokens").items().size(), with.at("ids").items().size());
}

TEST(Gguf, ATruncatedFileIsNamed) {
  const Folder folder;
  const std::string whole = read(kFile);
  write(folder / "model.gguf", whole.substr(0, whole.size() / 2));
  const Finished done = run_program({"inspect", folder / "model.gguf"});
  EXPECT_EQ(done.code, 5);
  EXPECT_EQ(done.out, "");
  EXPECT_TRUE(contains(done.err, "model.gguf") && contains(done.err, "truncated")) << done.err;
}

}  // namespace
}  // namespace accelerate::cli::test
