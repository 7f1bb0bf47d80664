// The command line: what may be written on it, and what was.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "cli/commands.hpp"

namespace accelerate::cli {

// What help texts and completions are made from.
struct OptionFacts {
  std::string name, letter;  // without dashes; both empty for a positional argument
  std::string value;         // "FILE", "N", "bash|zsh|fish"; empty for a flag
  std::string description;
  bool value_optional = false;  // "--graph" or "--graph=dot"
  // The values there are, where they can be listed.
  std::vector<std::string> choices() const;
};

struct CommandFacts {
  std::string name, summary, usage, examples;
  std::vector<OptionFacts> arguments, options;
};

std::vector<CommandFacts> command_facts();

// What to print on stdout before ending well: a help text or the version.
struct Printout {
  std::string text;
};
// What is wrong with the command line, and what to do.
struct UsageError {
  std::string message, hint;
};

// argv[0] is not looked at. Options and arguments may come in any order; after "--" everything is an argument.
std::variant<Command, Printout, UsageError> parse_arguments(int argc, const char* const* argv);

}  // namespace accelerate::cli
