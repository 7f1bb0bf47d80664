// Ctrl-C and the like: the work stops, nothing half-written is left.
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/process.hpp"

namespace accelerate::cli::test {
namespace {

class Interrupted : public testing::TestWithParam<int> {
 protected:
  Folder folder;
  std::string model = fixture("bert").string();

  // Enough text for minutes; the run is interrupted once its partial file shows that it is at work.
  std::string many_lines() {
    const std::string path = (folder / "lines.txt").string();
    std::ofstream lines(path);
    for (int i = 0; i < 2'000'000; ++i) lines << "And God said, Let there be light: and there was light. " << i << "\n";
    return path;
  }

  void interrupt_once_at_work(int process) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        if (entry.path().extension() == ".partial" && entry.file_size() > 0) {
          ::kill(process, GetParam());
          return;
        }
      }
      std::this_thread::yield();
    }
    ADD_FAILURE() << "the program never began to write";
    ::kill(process, SIGKILL);
  }
};

TEST_P(Interrupted, LeavesNoFileAndSaysSo) {
  const Finished stopped =
      run_program(Call{.arguments = {"run", model, "--input", many_lines(), "--output", (folder / "v.jsonl").string()},
                       .started = [this](int process) { interrupt_once_at_work(process); }});
  EXPECT_EQ(stopped.code, 128 + GetParam());
  EXPECT_EQ(stopped.err, "error: stopped by a signal\n");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"lines.txt"});
}

INSTANTIATE_TEST_SUITE_P(Signals, Interrupted, testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace accelerate::cli::test
