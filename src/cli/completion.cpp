#include "cli/completion.hpp"

#include "core/text.hpp"

namespace accelerate::cli {
namespace {

bool names_file(const OptionFacts& option) {
  return option.value == "FILE" || option.value == "FOLDER" || option.value == "MODEL";
}

std::string spelled(const OptionFacts& option) { return "--" + option.name; }

std::vector<std::string> names(const std::vector<CommandFacts>& commands) {
  std::vector<std::string> all;
  for (const CommandFacts& command : commands) all.push_back(command.name);
  all.emplace_back("help");
  return all;
}

// What may stand for an argument: its choices, or files.
std::vector<std::string> argument_choices(const CommandFacts& command) {
  std::vector<std::string> choices;
  for (const OptionFacts& argument : command.arguments) {
    for (const std::string& choice : argument.choices()) choices.push_back(choice);
  }
  return choices;
}

std::string bash_case(const CommandFacts& command) {
  std::string values;
  std::vector<std::string> options;
  for (const OptionFacts& option : command.options) {
    options.push_back(spelled(option));
    if (option.value.empty() || option.value_optional) continue;
    const std::string what = names_file(option) ? "-f" : "-W \"" + joined(option.choices(), " ") + "\"";
    values += "        " + spelled(option) + ") COMPREPLY=($(compgen " + what + " -- \"$cur\")); return ;;\n";
  }
  std::string out = "    " + command.name + ")\n";
  if (!values.empty()) out += "      case $prev in\n" + values + "      esac\n";
  out += "      words=\"" + joined(options, " ") + "\"\n";
  const std::vector<std::string> choices = argument_choices(command);
  if (!choices.empty()) out += "      arguments=\"" + joined(choices, " ") + "\"\n";
  return out + "      ;;\n";
}

std::string bash_script(const std::vector<CommandFacts>& commands) {
  std::string out =
      "# bash completion of ipfs-accelerate; made by: ipfs-accelerate completion bash\n"
      "_ipfs_accelerate() {\n"
      "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} words= arguments=\n"
      "  COMPREPLY=()\n"
      "  if ((COMP_CWORD == 1)); then\n"
      "    COMPREPLY=($(compgen -W \"" +
      joined(names(commands), " ") +
      " --help --version\" -- \"$cur\"))\n"
      "    return\n"
      "  fi\n"
      "  case ${COMP_WORDS[1]} in\n";
  for (const CommandFacts& command : commands) out += bash_case(command);
  out += "    help) arguments=\"" + joined(names(commands), " ") + "\" ;;\n";
  return out +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n"
         "  elif [[ -n $arguments ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$arguments\" -- \"$cur\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _ipfs_accelerate ipfs-accelerate\n";
}

// Inside '...[...]' of _arguments and '...' of fish.
std::string escaped(const std::string& text, std::string_view special) {
  std::string out;
  for (const char c : text) {
    if (c == '\'') {
      out += "'\\''";
      continue;
    }
    if (special.find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_argument(const OptionFacts& argument, bool repeated) {
  const std::vector<std::string> choices = argument.choices();
  std::string action = "_files";
  if (!choices.empty()) action = "(" + joined(choices, " ") + ")";
  if (argument.value == "TEXT") action = " ";
  return std::string(repeated ? "'*:" : "':") + escaped(argument.value, ":") + ":" + action + "'";
}

std::string zsh_option(const OptionFacts& option) {
  const std::string described = "[" + escaped(option.description, "[]:\\") + "]";
  std::string value;
  if (!option.value.empty() && !option.value_optional) {
    const std::vector<std::string> choices = option.choices();
    value = ":" + escaped(choices.empty() ? option.value : option.name, ":") + ":";
    value += names_file(option) ? "_files" : choices.empty() ? " " : "(" + joined(choices, " ") + ")";
  }
  if (option.letter.empty()) return "'" + spelled(option) + described + value + "'";
  const std::string both = "(-" + option.letter + " " + spelled(option) + ")";
  return "'" + both + "'{-" + option.letter + "," + spelled(option) + "}'" + described + value + "'";
}

std::string zsh_script(const std::vector<CommandFacts>& commands) {
  std::string listed, cases;
  for (const CommandFacts& command : commands) {
    listed += "    '" + command.name + ":" + escaped(command.summary, ":") + "'\n";
    cases += "    " + command.name + ")\n      _arguments -s";
    for (const OptionFacts& option : command.options) cases += " \\\n        " + zsh_option(option);
    for (std::size_t i = 0; i < command.arguments.size(); ++i) {
      cases += " \\\n        " + zsh_argument(command.arguments[i], i > 0);
    }
    cases += "\n      ;;\n";
  }
  return "#compdef ipfs-accelerate\n"
         "# zsh completion of ipfs-accelerate; made by: ipfs-accelerate completion zsh\n"
         "_ipfs_accelerate() {\n"
         "  local -a commands=(\n" +
         listed +
         "    'help:Show help'\n"
         "  )\n"
         "  if ((CURRENT == 2)); then\n"
         "    _describe command commands\n"
         "    _arguments '--help[Show help]' '--version[Show version, commit and compiler]'\n"
         "    return\n"
         "  fi\n"
         "  local command=$words[2]\n"
         "  shift words\n"
         "  ((CURRENT--))\n"
         "  case $command in\n" +
         cases +
         "    help) _describe command commands ;;\n"
         "  esac\n"
         "}\n"
         "if [[ $funcstack[1] == _ipfs-accelerate ]]; then\n"
         "  _ipfs_accelerate \"$@\"\n"
         "else\n"
         "  compdef _ipfs_accelerate ipfs-accelerate\n"
         "fi\n";
}

std::string fish_script(const std::vector<CommandFacts>& commands) {
  const std::string program = "complete -c ipfs-accelerate ";
  std::string out = "# fish completion of ipfs-accelerate; made by: ipfs-accelerate completion fish\n" + program +
                    "-n __fish_use_subcommand -f -l help -d 'Show help'\n" + program +
                    "-n __fish_use_subcommand -f -l version -d 'Show version, commit and compiler'\n" + program +
                    "-n __fish_use_subcommand -f -a help -d 'Show help'\n" + program +
                    "-n '__fish_seen_subcommand_from help' -f -a '" + joined(names(commands), " ") + "'\n";
  for (const CommandFacts& command : commands) {
    out += program + "-n __fish_use_subcommand -f -a " + command.name + " -d '" + escaped(command.summary, "") + "'\n";
    const std::string within = program + "-n '__fish_seen_subcommand_from " + command.name + "' ";
    const std::vector<std::string> choices = argument_choices(command);
    if (!choices.empty()) out += within + "-f -a '" + joined(choices, " ") + "'\n";
    for (const OptionFacts& option : command.options) {
      out += within + "-l " + option.name;
      if (!option.letter.empty()) out += " -s " + option.letter;
      if (!option.value.empty() && !option.value_optional) {
        out += names_file(option) ? " -r -F" : " -x";
        if (!option.choices().empty()) out += " -a '" + joined(option.choices(), " ") + "'";
      }
      out += " -d '" + escaped(option.description, "") + "'\n";
    }
  }
  return out;
}

}  // namespace

std::string completion_script(std::string_view shell, const std::vector<CommandFacts>& commands) {
  if (shell == "bash") return bash_script(commands);
  if (shell == "zsh") return zsh_script(commands);
  if (shell == "fish") return fish_script(commands);
  throw UsageError{"no completion for the shell \"" + std::string(shell) + "\"", "there are bash, zsh and fish"};
}

}  // namespace accelerate::cli
