// The probing program seen from whoever starts it: found, run, and its end put into words.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

#include "accelerate/progress.hpp"
#include "hardware/probe_program.hpp"

namespace accelerate::hardware {

inline constexpr const char* kHelperName = "ipfs-accelerate-probe";

// Where it is: the variable ACCELERATE_PROBE; else beside the file that holds this code (the program, or the library
// that a user's program has loaded); else in libexec/ipfs-accelerate of the prefix that file is installed in.
// Error{unavailable} naming the places.
std::filesystem::path find_helper();

class Helper {
 public:
  // `limit`: of each probe.
  Helper(std::filesystem::path program, std::chrono::milliseconds limit, Cancellation cancellation)
      : program_(std::move(program)), limit_(limit), cancellation_(std::move(cancellation)) {}

  // One probe (probe_program.hpp). Rows without a name take `row`'s. When no answer comes, `row` says why: crashed,
  // timed out, or failed for an answer that is none. Error{interrupted} once cancelled.
  ProbeAnswer ask(const std::vector<std::string>& probe, const DeviceReport& row) const;

 private:
  std::filesystem::path program_;
  std::chrono::milliseconds limit_;
  Cancellation cancellation_;
};

}  // namespace accelerate::hardware
