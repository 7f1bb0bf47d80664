// The command line as a value: what was written is what the command is asked.
#include "cli/arguments.hpp"

#include <gtest/gtest.h>

#include "accelerate/error.hpp"
#include "cli/completion.hpp"
#include "cli/help.hpp"

namespace accelerate::cli {
namespace {

std::variant<Command, Printout, UsageError> parse(std::vector<const char*> words) {
  words.insert(words.begin(), "ipfs-accelerate");
  return parse_arguments(static_cast<int>(words.size()), words.data());
}

RunCommand run_of(std::vector<const char*> words) {
  words.insert(words.begin(), "run");
  const auto parsed = parse(std::move(words));
  if (const auto* wrong = std::get_if<UsageError>(&parsed)) ADD_FAILURE() << wrong->message;
  return std::get<RunCommand>(std::get<Command>(parsed));
}

UsageError error_of(std::vector<const char*> words) {
  const auto parsed = parse(std::move(words));
  if (!std::holds_alternative<UsageError>(parsed)) {
    ADD_FAILURE() << "was accepted";
    return {};
  }
  return std::get<UsageError>(parsed);
}

using Texts = std::vector<std::string>;

TEST(Arguments, TakesTextsAsTheyAre) {
  EXPECT_EQ(run_of({"m", "[MASK] of [MASK]", "a,b", "++", "", "{}", "%%", "\"q\""}).texts,
            (Texts{"[MASK] of [MASK]", "a,b", "++", "", "{}", "%%", "\"q\""}));
}

TEST(Arguments, TakesOptionsBeforeBetweenAndAfterTexts) {
  const RunCommand command = run_of({"--json", "m", "a", "--top-k", "3", "b", "--output=x.npy"});
  EXPECT_TRUE(command.common.json);
  EXPECT_EQ(command.model, "m");
  EXPECT_EQ(command.texts, (Texts{"a", "b"}));
  EXPECT_EQ(command.top_k, 3);
  EXPECT_EQ(command.output, "x.npy");
}

TEST(Arguments, TakesEverythingAfterTwoDashesAsText) {
  EXPECT_EQ(run_of({"m", "--", "-5 degrees", "--json", "--"}).texts, (Texts{"-5 degrees", "--json", "--"}));
}

TEST(Arguments, TakesAnEmptyValueAndOneThatLooksLikeAnOption) {
  EXPECT_EQ(run_of({"m", "--prompt", ""}).prompt, "");
  EXPECT_EQ(run_of({"m", "--question", "-x", "--context=--y"}).question, "-x");
}

TEST(Arguments, TakesListsOfNumbers) {
  const auto parsed = parse({"inspect", "m", "--batch", "1,8,32", "--tokens=7"});
  const auto& command = std::get<InspectCommand>(std::get<Command>(parsed));
  EXPECT_EQ(command.batch, (std::vector<std::int64_t>{1, 8, 32}));
  EXPECT_EQ(command.tokens, (std::vector<std::int64_t>{7}));
}

TEST(Arguments, LetsAValueBeLeftOutWithoutTakingTheNextWord) {
  const auto graph_of = [](std::vector<const char*> words) {
    const auto parsed = parse(std::move(words));
    const auto& command = std::get<InspectCommand>(std::get<Command>(parsed));
    EXPECT_EQ(command.model, "m");
    return command.graph;
  };
  EXPECT_EQ(graph_of({"inspect", "--graph", "m"}), "text");
  EXPECT_EQ(graph_of({"inspect", "--graph=dot", "m"}), "dot");
  EXPECT_EQ(graph_of({"inspect", "m"}), "");
}

TEST(Arguments, NamesAnUnknownOptionAndTheNearestOne) {
  const UsageError wrong = error_of({"run", "m", "--tsk", "embed"});
  EXPECT_EQ(wrong.message, "ipfs-accelerate run has no option --tsk");
  EXPECT_NE(wrong.hint.find("did you mean --task?"), std::string::npos) << wrong.hint;
}

TEST(Arguments, SaysHowToPassATextThatLooksLikeAnOption) {
  const UsageError wrong = error_of({"run", "m", "-5 degrees"});
  EXPECT_EQ(wrong.message, "ipfs-accelerate run has no option -5 degrees");
  EXPECT_NE(wrong.hint.find("goes after \"--\""), std::string::npos) << wrong.hint;
}

TEST(Arguments, NamesAnUnknownCommandAndTheNearestOne) {
  const UsageError wrong = error_of({"inspct", "m"});
  EXPECT_EQ(wrong.message, "there is no command \"inspct\"");
  EXPECT_TRUE(wrong.hint.starts_with("did you mean inspect?")) << wrong.hint;
}

TEST(Arguments, SaysWhatIsWrongWithAValue) {
  EXPECT_EQ(error_of({"run", "m", "--threads", "many"}).message,
            "--threads: found \"many\", expected a whole number from 1 to 1024");
  EXPECT_EQ(error_of({"run", "m", "--threads", "0"}).message,
            "--threads: found \"0\", expected a whole number from 1 to 1024");
  EXPECT_EQ(error_of({"run", "m", "--aggregation", "best"}).message,
            "--aggregation: found \"best\", expected one of none, simple, first, average, max");
  EXPECT_EQ(error_of({"run", "m", "--json=yes"}).message, "--json takes no value, found \"--json=yes\"");
  EXPECT_EQ(error_of({"run", "m", "--task"}).message, "--task needs a value");
  EXPECT_EQ(error_of({"run", "m", "--st"}).message, "--st may mean --strict, --stop, --stats");
  EXPECT_EQ(error_of({"inspect", "m", "--batch", "1,,2"}).message,
            "--batch: found \"\", expected a whole number from 1 to 1073741824");
}

TEST(Arguments, TakesSizesWithAndWithoutUnits) {
  const auto limit_of = [](const char* size) {
    return run_of({"m", "--memory-limit", size}).execution.resources.memory_limit;
  };
  EXPECT_EQ(limit_of("4096"), 4096);
  EXPECT_EQ(limit_of("2GiB"), std::int64_t{2} << 30);
  EXPECT_EQ(limit_of("2G"), std::int64_t{2} << 30);
  EXPECT_EQ(limit_of("1.5 kb"), 1500);
  EXPECT_EQ(limit_of("500MB"), 500'000'000);
  EXPECT_EQ(run_of({"m"}).execution.resources.memory_limit, 0) << "no limit";
  for (const char* wrong : {"", "0", "-1", "GiB", "2 parsecs", "2GiBs", "nan", "inf", "1e30TB", "0.5"}) {
    EXPECT_EQ(error_of({"run", "m", "--memory-limit", wrong}).message,
              "--memory-limit: found \"" + std::string(wrong) + "\", expected a size above 0: 2GiB, 500MB or bytes");
  }
}

TEST(Arguments, SaysWhatIsMissingOrTooMuch) {
  EXPECT_EQ(error_of({}).message, "no command given");
  EXPECT_EQ(error_of({"inspect"}).message, "MODEL is missing: Folder of the model, or a GGUF file");
  EXPECT_EQ(error_of({"verify", "m", "n"}).message, "\"n\" was not expected");
  EXPECT_EQ(error_of({"devices", "m"}).message, "\"m\" was not expected");
}

TEST(Help, NamesEveryOptionAndGivesExamples) {
  for (const CommandFacts& command : command_facts()) {
    const std::string text = help_text(command);
    for (const OptionFacts& option : command.options) {
      EXPECT_NE(text.find("--" + option.name), std::string::npos) << command.name << " --" << option.name;
      EXPECT_FALSE(option.description.empty()) << command.name << " --" << option.name;
    }
    EXPECT_NE(text.find("Examples:\n  ipfs-accelerate " + command.name), std::string::npos) << command.name;
  }
}

TEST(Help, IsTheSameHoweverItIsAskedFor) {
  const auto text_of = [](std::vector<const char*> words) { return std::get<Printout>(parse(std::move(words))).text; };
  EXPECT_EQ(text_of({"help", "run"}), text_of({"run", "--help"}));
  EXPECT_EQ(text_of({"run", "m", "-h"}), text_of({"run", "--help"}));
  EXPECT_EQ(text_of({"help"}), text_of({"--help"}));
}

TEST(Completion, KnowsEveryCommandAndOptionInEveryShell) {
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const std::string script = completion_script(shell, command_facts());
    for (const CommandFacts& command : command_facts()) {
      EXPECT_NE(script.find(command.name), std::string::npos) << shell;
      for (const OptionFacts& option : command.options) {
        const std::string spelled = shell == std::string("fish") ? "-l " + option.name : "--" + option.name;
        EXPECT_NE(script.find(spelled), std::string::npos) << shell << " " << spelled;
      }
    }
  }
}

TEST(Completion, OfAnUnknownShellIsAnError) {
  const std::vector<CommandFacts> none;
  EXPECT_THROW(completion_script("tcsh", none), UsageError);
}

}  // namespace
}  // namespace accelerate::cli
