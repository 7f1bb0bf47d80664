#include "core/process.hpp"

#include <gtest/gtest.h>
#include <sys/types.h>

#include <cerrno>
#include <csignal>
#include <future>

#include "checkpoint/temporary_folder.hpp"
#include "core/file.hpp"

namespace accelerate {
namespace {

using End = ProcessResult::End;
using std::chrono::milliseconds;

// Long enough that only a fault comes near it.
constexpr milliseconds kPatient{60'000};

ProcessResult shell(const std::string& script, milliseconds limit = kPatient) {
  return run_process("/bin/sh", {.arguments = {"-c", script}, .limit = limit, .most_output = 100'000});
}

bool is_gone(const std::filesystem::path& file_with_number) {
  return ::kill(static_cast<pid_t>(std::stol(read_file(file_with_number))), 0) != 0 && errno == ESRCH;
}

TEST(Process, GivesWhatItPrintedAndItsExitCode) {
  const ProcessResult result = shell("echo out; echo err >&2; exit 3");
  EXPECT_EQ(result.end, End::exited);
  EXPECT_EQ(result.code, 3);
  EXPECT_EQ(result.out, "out\n");
  EXPECT_EQ(result.err, "err\n");
}

TEST(Process, NamesTheSignalThatEndedIt) {
  const ProcessResult result = shell("echo before; kill -KILL $$");
  EXPECT_EQ(result.end, End::signalled);
  EXPECT_EQ(result.code, SIGKILL);
  EXPECT_EQ(result.out, "before\n");
}

TEST(Process, IsKilledAfterItsTimeWithAllThatItStarted) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "child").string();
  const ProcessResult result = shell("sleep 1000 & echo $! > " + file + "; echo begun; wait", milliseconds(500));
  EXPECT_EQ(result.end, End::timed_out);
  EXPECT_EQ(result.out, "begun\n");
  // Killed, and taken in by init: it may take that a moment.
  for (int look = 0; look < 1000 && !is_gone(file); ++look) shell("sleep 0.01");
  EXPECT_TRUE(is_gone(file));
}

TEST(Process, IsNotWaitedForWhenOnlyItsChildHoldsTheOutput) {
  const ProcessResult result = shell("sleep 1000 & exit 0");
  EXPECT_EQ(result.end, End::exited);
}

TEST(Process, AFloodIsEnded) {
  const ProcessResult result = shell("exec yes");
  EXPECT_EQ(result.end, End::flooded);
}

TEST(Process, OfItsErrorsTheLastAreKept) {
  const ProcessResult result = shell("i=0; while [ $i -lt 2000 ]; do echo line $i >&2; i=$((i + 1)); done");
  EXPECT_EQ(result.end, End::exited);
  EXPECT_LE(result.err.size(), 4096U);
  EXPECT_TRUE(result.err.ends_with("line 1999\n")) << result.err;
}

TEST(Process, ACancellationKillsIt) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "child";
  const Cancellation cancellation;
  auto running = std::async(std::launch::async, [&] {
    return error_of([&] {
      run_process("/bin/sh", {.arguments = {"-c", "echo $$ > $0.new; mv $0.new $0; exec sleep 1000", file.string()},
                              .limit = kPatient,
                              .cancellation = cancellation});
    });
  });
  while (!std::filesystem::exists(file) && running.wait_for(milliseconds(1)) != std::future_status::ready) {
  }
  cancellation.cancel();
  EXPECT_EQ(running.get().kind(), ErrorKind::interrupted);
  EXPECT_TRUE(is_gone(file));
}

TEST(Process, OnceCancelledNothingIsStarted) {
  const Cancellation cancellation;
  cancellation.cancel();
  // One that could be started might end before anybody looks.
  const Error error = error_of([&] { run_process("/nowhere/program", {.cancellation = cancellation}); });
  EXPECT_EQ(error.kind(), ErrorKind::interrupted);
}

TEST(Process, AProgramThatIsNotThereIsNamed) {
  const Error error = error_of([] { run_process("/nowhere/program", {}); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(error.what(), "/nowhere/program")) << error.what();
}

TEST(Process, WhatThisProcessIgnoresIsNotIgnoredThere) {
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const ProcessResult result = shell("kill -PIPE $$; echo survived");
  std::signal(SIGPIPE, before);
  EXPECT_EQ(result.end, End::signalled);
  EXPECT_EQ(result.code, SIGPIPE);
}

}  // namespace
}  // namespace accelerate
