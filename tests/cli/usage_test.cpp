// Help, version, wrong usage and completions, as a shell meets them.
#include <gtest/gtest.h>

#include "accelerate/version.hpp"
#include "cli/process.hpp"

namespace accelerate::cli::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Usage, HelpGoesToStdoutAndEndsWell) {
  for (const char* command : {"devices", "doctor", "inspect", "tokenize", "run", "verify", "bench", "export", "records",
                              "report", "completion"}) {
    const Finished help = run_program({command, "--help"});
    EXPECT_EQ(help.code, 0);
    EXPECT_TRUE(contains(help.out, std::string("Usage: ipfs-accelerate ") + command)) << help.out;
    EXPECT_TRUE(contains(help.out, "Examples:")) << help.out;
    EXPECT_EQ(help.err, "");
  }
}

TEST(Usage, VersionNamesTheRelease) {
  EXPECT_TRUE(contains(run_program({"--version"}).out, "ipfs-accelerate " + std::string(version())));
}

TEST(Usage, AWrongFlagIsNamedOnStderrWithCodeTwo) {
  const Finished wrong = run_program({"run", "model", "--jsn"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_EQ(wrong.out, "");
  EXPECT_TRUE(contains(wrong.err, "error: ipfs-accelerate run has no option --jsn\n  hint: did you mean --json?"))
      << wrong.err;
}

TEST(Usage, NoCommandIsAnError) {
  const Finished wrong = run_program(std::vector<std::string>{});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(contains(wrong.err, "no command given")) << wrong.err;
}

TEST(Usage, OptionsThatContradictEachOtherAreRefused) {
  const std::string model = fixture("bert").string();
  EXPECT_EQ(run_program({"run", model, "text", "--input", "f"}).code, 2);
  EXPECT_EQ(run_program({"run", model, "text", "--inputs", "f"}).code, 2);
  EXPECT_EQ(run_program({"run", model, "text", "--layers"}).code, 2);
  EXPECT_EQ(run_program({"run", model, "text", "--output", "f.txt"}).code, 2);
  EXPECT_EQ(run_program({"run", model, "text", "--aggregation", "max"}).code, 2);
  EXPECT_EQ(run_program({"run", fixture("cross_encoder").string(), "--pair", "one"}).code, 2);
  EXPECT_EQ(run_program({"run", fixture("bert_question_answering").string(), "--question", "who?"}).code, 2);
}

TEST(Usage, NothingButTerminalsGetColours) {
  const Finished plain = run_program({"inspect", fixture("bert").string()});
  EXPECT_EQ(plain.out.find('\x1b'), std::string::npos);
  EXPECT_EQ(run_program({"inspect", "missing"}).err.find('\x1b'), std::string::npos);
}

TEST(Usage, AReaderThatGoesAwayEndsItQuietly) {
  const Finished cut = run_program(Call{.arguments = {"run", "--help"}, .closes_output = true});
  EXPECT_EQ(cut.code, 141);
  EXPECT_EQ(cut.err, "");
}

TEST(Usage, AFullDiskIsAnError) {
  const Finished shown = run_program(Call{.arguments = {"run", "--help"}, .output = "/dev/full"});
  EXPECT_EQ(shown.code, 3);
  EXPECT_TRUE(contains(shown.err, "error: stdout: cannot be written: No space left on device")) << shown.err;

  const Folder folder;
  std::filesystem::create_symlink("/dev/full", folder / "v.json");
  const Finished written =
      run_program({"run", fixture("bert").string(), "a", "--output", (folder / "v.json").string()});
  EXPECT_EQ(written.code, 3);
  EXPECT_TRUE(contains(written.err, "v.json: cannot be written: No space left on device")) << written.err;
}

TEST(Completion, InstalledScriptsAreWhatTheProgramPrints) {
  const std::filesystem::path folder = std::filesystem::path(ACCELERATE_TESTS_DIR).parent_path() / "completions";
  for (const char* shell : {"bash", "zsh", "fish"}) {
    const Finished printed = run_program({"completion", shell});
    EXPECT_EQ(printed.code, 0);
    EXPECT_EQ(printed.out, read(folder / (std::string("ipfs-accelerate.") + shell)))
        << "made anew by: ipfs-accelerate completion " << shell;
  }
  const Finished other = run_program({"completion", "tcsh"});
  EXPECT_EQ(other.code, 2);
  EXPECT_TRUE(contains(other.err, "no completion for the shell \"tcsh\"")) << other.err;
}

TEST(Completion, BashTakesItsScript) {
  const Folder folder;
  write(folder / "script", run_program({"completion", "bash"}).out +
                               "\nCOMP_WORDS=(ipfs-accelerate run --ta); COMP_CWORD=2; _ipfs_accelerate\n"
                               "[[ ${COMPREPLY[0]} == --task ]] || exit 1\n"
                               "COMP_WORDS=(ipfs-accelerate ins); COMP_CWORD=1; _ipfs_accelerate\n"
                               "[[ ${COMPREPLY[0]} == inspect ]] || exit 1\n"
                               "COMP_WORDS=(ipfs-accelerate run m --aggregation a); COMP_CWORD=4; _ipfs_accelerate\n"
                               "[[ ${COMPREPLY[0]} == average ]] || exit 1\n");
  EXPECT_EQ(std::system(("bash " + (folder / "script").string()).c_str()), 0);
}

TEST(Documentation, NamesEveryOptionAndExitCode) {
  const std::string page = read(std::filesystem::path(ACCELERATE_TESTS_DIR).parent_path() / "docs/cli.md");
  for (const char* command :
       {"devices", "doctor", "inspect", "run", "verify", "bench", "records", "report", "completion"}) {
    const std::string help = run_program({command, "--help"}).out;
    for (std::size_t at = help.find("--"); at != std::string::npos; at = help.find("--", at + 2)) {
      const std::size_t end = help.find_first_not_of("abcdefghijklmnopqrstuvwxyz-", at);
      const std::string option = help.substr(at, end - at);
      if (option == "--") continue;
      EXPECT_TRUE(contains(page, "`" + option)) << option << " of " << command;
    }
  }
  for (const char* code : {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "70", "130", "141", "143"}) {
    EXPECT_TRUE(contains(page, std::string("| ") + code + " |")) << code;
  }
  for (const char* variable : {"ACCELERATE_THREADS", "ACCELERATE_CPU_LEVEL", "ACCELERATE_RECORDS", "NO_COLOR"}) {
    EXPECT_TRUE(contains(page, variable)) << variable;
  }
}

}  // namespace
}  // namespace accelerate::cli::test
