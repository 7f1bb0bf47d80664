// Guessed tokens, from the command line.
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "models/golden.hpp"

namespace accelerate::cli::test {
namespace {

const std::string kModel = (decoders_folder() / "llama").string();

Finished run(std::vector<std::string> more) {
  std::vector<std::string> words{"run", kModel, "Hi", "--max-new-tokens", "50", "--greedy", "--ignore-eos", "--stats"};
  words.insert(words.end(), more.begin(), more.end());
  return run_program(words);
}

TEST(Guesses, LeaveTheTextAsItIs) {
  const Finished alone = run({}), looked_up = run({"--prompt-lookup", "6"}),
                 drafted = run({"--draft", kModel, "--draft-precision", "bf16", "--draft-tokens", "4"});
  for (const Finished& found : {looked_up, drafted}) {
    EXPECT_EQ(found.code, 0) << found.err;
    EXPECT_EQ(found.out, alone.out);
    EXPECT_NE(found.err.find(" guesses right)"), std::string::npos) << found.err;
  }
  EXPECT_EQ(alone.err.find("guesses"), std::string::npos) << alone.err;
}

TEST(Guesses, SayWhatIsWrong) {
  const auto expect = [](const Finished& found, int code, const std::string& said) {
    EXPECT_EQ(found.code, code) << found.err;
    EXPECT_NE(found.err.find(said), std::string::npos) << found.err;
  };
  expect(run({"--draft", kModel, "--prompt-lookup", "4"}), 2, "--draft and --prompt-lookup are given");
  expect(run({"--draft-tokens", "4"}), 2, "--draft names it");
  expect(run({"--prompt-lookup", "65"}), 3, "prompt_lookup_num_tokens: is 65, expected 1 to 64");
  expect(run({"--draft", (decoders_folder() / "gpt2").string()}), 3, "has another vocabulary");
  expect(run({"--draft", "/nowhere"}), 4, "/nowhere");
}

}  // namespace
}  // namespace accelerate::cli::test
