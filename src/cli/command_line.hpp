// One command's arguments and options: described once, then parsed, listed in help and completed by shells.
//
// The parsing is the C library's getopt_long. (CLI11 2.1.2 was tried: it takes "[MASK] of [MASK]" for a list, drops a
// text that is "++" and has no way to pass a text that looks like an option.)
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"

namespace accelerate::cli {

class CommandLine {
 public:
  CommandLine(std::string name, std::string summary, std::string examples);

  // Arguments that must be there, in their order; then one that may be left out (`target` then stays as it is), and any
  // number of further ones.
  void argument(const std::string& name, const std::string& description, std::string& target);
  void argument_if_any(const std::string& name, const std::string& description, std::string& target);
  void arguments(const std::string& name, const std::string& description, std::vector<std::string>& target);

  void flag(const std::string& name, const std::string& description, bool& target, const std::string& letter = "");
  // A value of any text; with choices in `value` ("none|first"), one of them.
  void option(const std::string& name, const std::string& value, const std::string& description,
              std::optional<std::string>& target);
  void option(const std::string& name, const std::string& value, const std::string& description, std::string& target);
  // A whole number from `least` to `most`, and a list of them with commas.
  void number(const std::string& name, const std::string& description, std::int64_t least, std::int64_t most,
              std::function<void(std::int64_t)> take);
  void numbers(const std::string& name, const std::string& description, std::int64_t least, std::int64_t most,
               std::vector<std::int64_t>& target);
  // The same, or `word` instead of them, which sets `chosen`.
  void numbers_or(const std::string& name, const std::string& word, const std::string& description, std::int64_t least,
                  std::int64_t most, std::vector<std::int64_t>& target, bool& chosen);
  // Words with commas between them.
  void words(const std::string& name, const std::string& value, const std::string& description,
             std::vector<std::string>& target);
  // A number with or without a fraction, above 0 and at most `most`; `value` names its unit.
  void decimal(const std::string& name, const std::string& value, const std::string& description, double most,
               std::optional<double>& target);
  // A number with or without a fraction, from `least` to `most`.
  void real(const std::string& name, const std::string& description, double least, double most,
            std::optional<double>& target);
  // A text each time that the option is given.
  void texts(const std::string& name, const std::string& description, std::vector<std::string>& target);
  // A size above 0, with or without a unit: "2GiB", "1.5 GB", "4096".
  void bytes(const std::string& name, const std::string& description, std::int64_t& target);
  // "--name" sets an empty text; a value must be joined: "--name=value".
  void optional_value(const std::string& name, const std::string& value, const std::string& description,
                      std::optional<std::string>& target);
  // "--name" means `fallback`; another value must be joined: "--name=value".
  void optional_value(const std::string& name, const std::string& value, const std::string& fallback,
                      const std::string& description, std::string& target);

  const CommandFacts& facts() const { return facts_; }
  bool asked_for_help() const { return asked_for_help_; }
  // argv[0] is the command. Throws UsageError.
  void parse(const std::vector<std::string>& argv);

 private:
  using Take = std::function<void(const std::string&)>;
  void add(OptionFacts option, Take take);
  std::size_t option_found(int found) const;
  void take(std::size_t which, const char* text);
  [[noreturn]] void fail_option(int found, const std::vector<char*>& words) const;
  void take_arguments(const std::vector<std::string>& found);

  CommandFacts facts_;
  std::vector<Take> takes_;
  std::vector<std::string*> required_;
  std::string* argument_if_any_ = nullptr;
  std::vector<std::string>* arguments_ = nullptr;
  bool asked_for_help_ = false;
};

}  // namespace accelerate::cli
