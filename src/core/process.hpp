// Another program, started, listened to and ended in time.
//
// It is executed, never a bare fork: in a process with threads a forked copy may hold a lock that nobody will release.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "accelerate/progress.hpp"

namespace accelerate {

struct ProcessOptions {
  std::vector<std::string> arguments = {};
  std::chrono::milliseconds limit{10'000};  // then it is killed; time in which this process stands still counts little
  std::size_t most_output = std::size_t{1} << 20;  // bytes of its standard output; then it is killed
  Cancellation cancellation = {};                  // looked at before and while it runs; once cancelled it is killed
};

struct ProcessResult {
  enum class End : std::uint8_t { exited, signalled, timed_out, flooded };
  End end = End::exited;
  int code = 0;     // exited: its exit code; signalled: the signal's number
  std::string out;  // its standard output
  std::string err;  // the last kilobytes of its standard error
};

// Standard input is empty, the environment is this process's. When it returns, the program and what it started in its
// process group are gone. Error{not_found} when the program cannot be started, Error{interrupted} once cancelled.
ProcessResult run_process(const std::filesystem::path& program, const ProcessOptions& options);

}  // namespace accelerate
