// Everything the program prints: results on stdout, notes and errors on stderr.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/error.hpp"
#include "cli/commands.hpp"
#include "core/json.hpp"

namespace accelerate::cli {

// Whoever read our output has gone (`| head`): nothing is left to do.
struct OutputClosed {};

enum class Align : std::uint8_t { left, right };

// Rows of text under headings; columns are as wide as their widest cell.
class Table {
 public:
  struct Column {
    std::string heading;
    Align align = Align::left;
  };
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // One cell a column; control characters are written out.
  void row(std::vector<std::string> cells);
  bool empty() const { return rows_.empty(); }
  // `bold` marks headings with the terminal's sequences; no heading row when all headings are empty.
  std::string text(bool bold) const;

 private:
  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

class Output {
 public:
  explicit Output(const CommonOptions& options);
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  bool wants_json() const { return options_.json; }
  bool quiet() const { return options_.quiet; }
  bool verbose() const { return options_.verbose; }
  // stdout, kept back until finish() or 64 kB. Throws OutputClosed; Error{invalid_input} when it cannot be written.
  void text(std::string_view text);
  void line(std::string_view text = {});
  // Text that comes bit by bit: written at once, with what was kept back before it.
  void stream(std::string_view text);
  void print(const Table& table);
  void json(const Json& value);  // indented, with a line end
  void heading(std::string_view text);
  // stderr: "note: ..." unless quiet; and only where --verbose was given.
  void note(const std::string& text) const;
  void detail(const std::string& text) const;
  // Writes what is kept back. To be called once everything went well.
  void finish();

 private:
  CommonOptions options_;
  bool colour_;
  std::string kept_;
};

// Whether sequences for colours may be sent there: a terminal, and NO_COLOR is unset or empty (no-color.org).
bool may_colour(int descriptor);
// "error: where: message" and its hint, on stderr.
void print_error(std::string_view text);
void print_error(std::string_view message, std::string_view hint);

// "1.5 kB", "90.9 MB", "12.3 GB": decimal units.
std::string bytes_text(std::int64_t bytes);
// "22.7 M", "1.5 G"
std::string count_text(double count);
// With that many digits after the point.
std::string fixed_text(double value, int digits);
// With that many significant digits, in exponent form where that is shorter.
std::string significant_text(double value, int digits);

}  // namespace accelerate::cli
