#include "cli/progress_bar.hpp"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/output.hpp"

namespace accelerate::cli {
namespace {

std::string clock_text(double seconds) {
  const auto whole = static_cast<std::int64_t>(std::ceil(std::min(seconds, 3.6e8)));
  const auto two = [](std::int64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
  if (whole < 3600) return std::to_string(whole / 60) + ":" + two(whole % 60);
  return std::to_string(whole / 3600) + ":" + two(whole / 60 % 60) + ":" + two(whole % 60);
}

}  // namespace

std::string progress_line(double fraction, std::int64_t done, double seconds, const std::string& unit) {
  constexpr std::size_t kWidth = 24;
  std::string line;
  if (fraction >= 0) {
    fraction = std::min(fraction, 1.0);
    const auto filled = static_cast<std::size_t>(fraction * static_cast<double>(kWidth));
    const std::string percent = std::to_string(static_cast<int>(fraction * 100));
    line = std::string(3 - percent.size(), ' ') + percent + " %  [" + std::string(filled, '=') +
           std::string(kWidth - filled, ' ') + "]  ";
  }
  line += std::to_string(done) + " " + unit;
  if (seconds > 0) line += "  " + significant_text(static_cast<double>(done) / seconds, 3) + " " + unit + "/s";
  if (fraction > 0) line += "  " + clock_text(seconds * (1 - fraction) / fraction) + " left";
  return line;
}

ProgressBar::ProgressBar(std::string unit, bool quiet)
    : unit_(std::move(unit)), wanted_(!quiet && ::isatty(STDERR_FILENO) == 1) {}

void ProgressBar::update(double fraction, std::int64_t done) {
  if (!wanted_) return;
  using std::chrono::duration;
  const Clock::time_point now = Clock::now();
  const double since_last = duration<double>(now - last_).count();
  if (since_last < (shown_ ? 0.1 : 0.5)) return;
  last_ = now;
  shown_ = true;
  // Return to the line's start and erase to its end: known to every terminal.
  std::fprintf(stderr, "\r%s\x1b[K",
               progress_line(fraction, done, duration<double>(now - start_).count(), unit_).c_str());
  std::fflush(stderr);
}

void ProgressBar::clear() {
  if (!shown_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  shown_ = false;
}

}  // namespace accelerate::cli
