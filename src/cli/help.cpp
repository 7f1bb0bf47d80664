#include "cli/help.hpp"

#include <algorithm>

namespace accelerate::cli {
namespace {

constexpr std::size_t kWidth = 100, kOptionColumn = 27;

// "  left      text, wrapped at words and indented under itself"
void add_entry(std::string& out, const std::string& left, std::size_t column, const std::string& text) {
  std::string line = "  " + left;
  if (line.size() + 2 > column) {
    out += line + "\n";
    line.clear();
  }
  line.resize(column, ' ');
  std::size_t begin = 0;
  while (begin < text.size()) {
    const std::size_t end = std::min(text.find(' ', begin), text.size());
    if (line.size() > column && line.size() + 1 + end - begin > kWidth) {
      out += line + "\n";
      line.assign(column, ' ');
    }
    if (line.size() > column) line += ' ';
    line += text.substr(begin, end - begin);
    begin = end + 1;
  }
  out += line + "\n";
}

std::string spelled(const OptionFacts& option) {
  std::string text = option.letter.empty() ? "    " : "-" + option.letter + ", ";
  text += "--" + option.name;
  if (option.value_optional) return text + "[=" + option.value + "]";
  if (option.value.empty()) return text;
  // A long list of choices reads better in the description.
  return text + " " + (option.value.size() > 40 ? "NAME" : option.value);
}

std::string described(const OptionFacts& option) {
  if (option.value.size() <= 40) return option.description;
  std::string listed = option.description + ": ";
  for (const std::string& choice : option.choices()) listed += (listed.ends_with(": ") ? "" : ", ") + choice;
  return listed;
}

void add_examples(std::string& out, const std::string& examples) {
  out += "\nExamples:\n";
  for (std::size_t begin = 0; begin < examples.size();) {
    const std::size_t end = std::min(examples.find('\n', begin), examples.size());
    out += "  " + examples.substr(begin, end - begin) + "\n";
    begin = end + 1;
  }
}

}  // namespace

std::string help_text(const std::vector<CommandFacts>& commands) {
  std::string out =
      "Opens the folder a model was published in and runs it on this machine.\n\n"
      "Usage: ipfs-accelerate COMMAND [OPTION]... [ARGUMENT]...\n\nCommands:\n";
  for (const CommandFacts& command : commands) add_entry(out, command.name, 15, command.summary);
  add_entry(out, "help", 15, "Show this, or a command's options: ipfs-accelerate help COMMAND");
  out += "\nOptions:\n";
  add_entry(out, "-h, --help", 17, "Show this help");
  add_entry(out, "-V, --version", 17, "Show version, commit and compiler");
  add_examples(out,
               "ipfs-accelerate inspect MODEL\n"
               "ipfs-accelerate run MODEL \"A sentence.\" \"Another.\"\n"
               "ipfs-accelerate verify MODEL");
  out += "\nMODEL is a folder with config.json, *.safetensors and a tokenizer, as published on the hub.\n";
  return out;
}

std::string help_text(const CommandFacts& command) {
  std::string out = command.summary + ".\n\nUsage: " + command.usage + "\n";
  if (!command.arguments.empty()) out += "\nArguments:\n";
  for (const OptionFacts& argument : command.arguments)
    add_entry(out, argument.value, kOptionColumn, argument.description);
  out += "\nOptions:\n";
  for (const OptionFacts& option : command.options) {
    add_entry(out, spelled(option), kOptionColumn, described(option));
  }
  add_examples(out, command.examples);
  return out;
}

}  // namespace accelerate::cli
