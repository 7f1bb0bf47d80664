#include "cli/output.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "cli/text_width.hpp"

namespace accelerate::cli {
namespace {

constexpr std::size_t kKeptAtMost = 1 << 16;

void write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t put = ::write(descriptor, text.data(), text.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0 && errno == EPIPE) throw OutputClosed{};
    if (put < 0) throw Error(ErrorKind::invalid_input, std::string("cannot be written: ") + strerror(errno), "stdout");
    text.remove_prefix(static_cast<std::size_t>(put));
  }
}

// Messages quote what files and users wrote; their own line ends stay.
void print_stderr(std::string_view text) {
  std::string out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out += printable(text.substr(begin, end - begin)) + "\n";
    begin = end + 1;
  }
  std::fputs(out.c_str(), stderr);
}

std::string scaled(double value, const char* last, std::initializer_list<const char*> units) {
  const char* unit = last;
  for (const char* larger : units) {
    if (std::abs(value) < 999.5) break;
    value /= 1000;
    unit = larger;
  }
  const int digits = unit == last || std::abs(value) >= 99.95 ? 0 : 1;
  const std::string number = fixed_text(value, digits);
  return *unit == '\0' ? number : number + " " + unit;
}

}  // namespace

void Table::row(std::vector<std::string> cells) {
  for (std::string& cell : cells) cell = printable(cell);
  cells.resize(columns_.size());
  rows_.push_back(std::move(cells));
}

std::string Table::text(bool bold) const {
  std::vector<std::string> headings;
  std::vector<std::size_t> widths;
  bool headed = false;
  for (std::size_t c = 0; c < columns_.size(); ++c) {
    headings.push_back(columns_[c].heading);
    headed |= !headings[c].empty();
    widths.push_back(display_width(headings[c]));
    for (const auto& cells : rows_) widths[c] = std::max(widths[c], display_width(cells[c]));
  }
  const auto line = [&](const std::vector<std::string>& cells) {
    std::string out;
    for (std::size_t c = 0; c < cells.size(); ++c) {
      const std::string gap(widths[c] - display_width(cells[c]), ' ');
      if (c > 0) out += "  ";
      out += columns_[c].align == Align::right ? gap + cells[c] : cells[c] + gap;
    }
    out.erase(out.find_last_not_of(' ') + 1);
    return out;
  };
  std::string out;
  if (headed) out += bold ? "\x1b[1m" + line(headings) + "\x1b[0m\n" : line(headings) + "\n";
  for (const auto& cells : rows_) out += line(cells) + "\n";
  return out;
}

Output::Output(const CommonOptions& options) : options_(options), colour_(may_colour(STDOUT_FILENO)) {}

void Output::text(std::string_view text) {
  kept_ += text;
  if (kept_.size() >= kKeptAtMost) finish();
}

void Output::line(std::string_view text) {
  this->text(text);
  this->text("\n");
}

void Output::stream(std::string_view text) {
  kept_ += text;
  finish();
}

void Output::print(const Table& table) { text(table.text(colour_)); }

void Output::json(const Json& value) { line(value.dump(2)); }

void Output::heading(std::string_view text) {
  line(colour_ ? "\x1b[1m" + printable(text) + "\x1b[0m" : printable(text));
}

void Output::note(const std::string& text) const {
  if (!options_.quiet) print_stderr("note: " + text);
}

void Output::detail(const std::string& text) const {
  if (options_.verbose) print_stderr(text);
}

void Output::finish() {
  const std::string out = std::exchange(kept_, {});
  write_all(STDOUT_FILENO, out);
}

bool may_colour(int descriptor) {
  const char* asked_not_to = std::getenv("NO_COLOR");
  if (asked_not_to != nullptr && *asked_not_to != '\0') return false;
  const char* terminal = std::getenv("TERM");
  return ::isatty(descriptor) == 1 && terminal != nullptr && std::strcmp(terminal, "dumb") != 0;
}

void print_error(std::string_view text) {
  std::fputs(may_colour(STDERR_FILENO) ? "\x1b[1;31merror:\x1b[0m " : "error: ", stderr);
  print_stderr(text);
}

void print_error(std::string_view message, std::string_view hint) {
  print_error(hint.empty() ? std::string(message) : std::string(message) + "\n  hint: " + std::string(hint));
}

std::string bytes_text(std::int64_t bytes) {
  return scaled(static_cast<double>(bytes), "B", {"kB", "MB", "GB", "TB", "PB"});
}

std::string count_text(double count) { return scaled(count, "", {"k", "M", "G", "T", "P"}); }

std::string fixed_text(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*f", digits, value);
  return text.data();
}

std::string significant_text(double value, int digits) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.*g", digits, value);
  return text.data();
}

}  // namespace accelerate::cli
