// How far long work is, on stderr: a bar with rate and remaining time.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

namespace accelerate::cli {

// Shown only when stderr is a terminal and the work takes longer than half a second.
class ProgressBar {
 public:
  ProgressBar(std::string unit, bool quiet);
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;
  ~ProgressBar() { clear(); }

  // `fraction` of all the work is done (negative: not known of how much), which were `done` units.
  void update(double fraction, std::int64_t done);
  // Takes the bar away, so that something else can be printed.
  void clear();

 private:
  using Clock = std::chrono::steady_clock;
  std::string unit_;
  bool shown_ = false, wanted_ = false;
  Clock::time_point start_ = Clock::now(), last_ = start_;
};

// "  42 %  [========            ]  1200 texts  340 texts/s  0:05 left"
std::string progress_line(double fraction, std::int64_t done, double seconds, const std::string& unit);

}  // namespace accelerate::cli
