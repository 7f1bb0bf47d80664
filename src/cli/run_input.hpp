// Where the texts of `run` come from: the command line, a file of lines, JSON lines, standard input.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accelerate/progress.hpp"
#include "cli/commands.hpp"

namespace accelerate::cli {

// A text, or two that belong together: a pair, a question and its context.
struct TextItem {
  std::string text;
  std::optional<std::string> pair;
  std::string where;  // "lines.txt: line 3", "text 2"
};

// Whether a task takes second texts: none of them, all or no texts of a file, or every text.
enum class Pairs { none, optional, needed };

// Hands out texts in order.
class TextSource {
 public:
  virtual ~TextSource() = default;
  // At most `count` further items; none at the end. Error{invalid_input} naming the line; Error{interrupted}.
  virtual std::vector<TextItem> next(std::size_t count) = 0;
  // How much has been handed out, from 0 to 1; negative where the end is not known.
  virtual double fraction() const = 0;
};

// By `command`: texts given on the command line, or --input. Throws UsageError when there is neither and standard
// input is no file or pipe, or when both are given; Error{not_found} for a missing file; Error{invalid_input} for an
// empty one. A line of JSON with or without a second text against `pairs` is Error{invalid_input} when it is read.
std::unique_ptr<TextSource> open_texts(const RunCommand& command, Pairs pairs, const Cancellation& cancellation);

}  // namespace accelerate::cli
