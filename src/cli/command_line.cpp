#include "cli/command_line.hpp"

#include <getopt.h>

#include <cctype>
#include <charconv>
#include <cmath>
#include <utility>

#include "checkpoint/nearest.hpp"
#include "core/text.hpp"

namespace accelerate::cli {
namespace {

constexpr int kFirstLong = 256;  // what getopt_long returns for long options: above every letter

std::int64_t number_in(const std::string& option, const std::string& text, std::int64_t least, std::int64_t most) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < least || number > most) {
    throw UsageError{"--" + option + ": found \"" + text + "\", expected a whole number from " + std::to_string(least) +
                         " to " + std::to_string(most),
                     ""};
  }
  return number;
}

// Of "GiB", "GB", "g"; nothing where there is no such unit.
std::optional<double> unit_named(std::string_view text) {
  constexpr std::string_view kPrefixes = "kmgt";
  std::string unit;
  for (const char letter : text) unit += static_cast<char>(std::tolower(static_cast<unsigned char>(letter)));
  if (unit.empty() || unit == "b") return 1;
  const std::size_t power = kPrefixes.find(unit[0]);
  if (power == std::string_view::npos) return std::nullopt;
  const std::string_view rest = std::string_view(unit).substr(1);
  if (!rest.empty() && rest != "b" && rest != "ib") return std::nullopt;
  return std::pow(rest == "b" ? 1000.0 : 1024.0, static_cast<double>(power + 1));
}

std::int64_t bytes_in(const std::string& option, const std::string& text) {
  constexpr double kLargest = 1LL << 60;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  unit.remove_prefix(std::min(unit.find_first_not_of(' '), unit.size()));
  const std::optional<double> factor = error == std::errc{} ? unit_named(unit) : std::nullopt;
  const double bytes = factor ? number * *factor : 0;
  if (bytes >= 1 && bytes <= kLargest) return static_cast<std::int64_t>(bytes);
  throw UsageError{"--" + option + ": found \"" + text + "\", expected a size above 0: 2GiB, 500MB or bytes", ""};
}

std::string shortest_text(double number) {
  char text[32];
  return {text, std::to_chars(text, text + sizeof text, number).ptr};
}

void require_choice(const OptionFacts& option, const std::string& text) {
  const std::vector<std::string> choices = option.choices();
  if (choices.empty()) return;
  for (const std::string& choice : choices) {
    if (choice == text) return;
  }
  throw UsageError{"--" + option.name + ": found \"" + text + "\", expected one of " + joined(choices), ""};
}

}  // namespace

std::vector<std::string> OptionFacts::choices() const {
  std::vector<std::string> choices;
  if (value.find('|') == std::string::npos) return choices;
  for (std::size_t begin = 0; begin <= value.size();) {
    const std::size_t end = std::min(value.find('|', begin), value.size());
    choices.push_back(value.substr(begin, end - begin));
    begin = end + 1;
  }
  return choices;
}

CommandLine::CommandLine(std::string name, std::string summary, std::string examples) {
  facts_.usage = "ipfs-accelerate " + name + " [OPTION]...";
  facts_.name = std::move(name);
  facts_.summary = std::move(summary);
  facts_.examples = std::move(examples);
}

void CommandLine::argument(const std::string& name, const std::string& description, std::string& target) {
  facts_.arguments.push_back({.name = "", .letter = "", .value = name, .description = description});
  facts_.usage += " " + name;
  required_.push_back(&target);
}

void CommandLine::argument_if_any(const std::string& name, const std::string& description, std::string& target) {
  facts_.arguments.push_back({.name = "", .letter = "", .value = name, .description = description});
  facts_.usage += " [" + name + "]";
  argument_if_any_ = &target;
}

void CommandLine::arguments(const std::string& name, const std::string& description, std::vector<std::string>& target) {
  facts_.arguments.push_back({.name = "", .letter = "", .value = name, .description = description});
  facts_.usage += " [" + name + "]...";
  arguments_ = &target;
}

void CommandLine::add(OptionFacts option, Take take) {
  facts_.options.push_back(std::move(option));
  takes_.push_back(std::move(take));
}

void CommandLine::flag(const std::string& name, const std::string& description, bool& target,
                       const std::string& letter) {
  add({.name = name, .letter = letter, .value = "", .description = description},
      [&target](const std::string&) { target = true; });
}

void CommandLine::option(const std::string& name, const std::string& value, const std::string& description,
                         std::optional<std::string>& target) {
  add({.name = name, .letter = "", .value = value, .description = description},
      [&target](const std::string& text) { target = text; });
}

void CommandLine::option(const std::string& name, const std::string& value, const std::string& description,
                         std::string& target) {
  add({.name = name, .letter = "", .value = value, .description = description},
      [&target](const std::string& text) { target = text; });
}

void CommandLine::number(const std::string& name, const std::string& description, std::int64_t least, std::int64_t most,
                         std::function<void(std::int64_t)> take) {
  add({.name = name, .letter = "", .value = "N", .description = description},
      [=, take = std::move(take)](const std::string& text) { take(number_in(name, text, least, most)); });
}

void CommandLine::numbers(const std::string& name, const std::string& description, std::int64_t least,
                          std::int64_t most, std::vector<std::int64_t>& target) {
  add({.name = name, .letter = "", .value = "N,...", .description = description},
      [=, &target](const std::string& text) {
        target.clear();
        for (std::size_t begin = 0; begin <= text.size();) {
          const std::size_t end = std::min(text.find(',', begin), text.size());
          target.push_back(number_in(name, text.substr(begin, end - begin), least, most));
          begin = end + 1;
        }
      });
}

void CommandLine::numbers_or(const std::string& name, const std::string& word, const std::string& description,
                             std::int64_t least, std::int64_t most, std::vector<std::int64_t>& target, bool& chosen) {
  numbers(name, description, least, most, target);
  facts_.options.back().value += " or " + word;
  takes_.back() = [word, &target, &chosen, take_numbers = takes_.back()](const std::string& text) {
    chosen = text == word;
    target.clear();
    if (!chosen) take_numbers(text);
  };
}

void CommandLine::words(const std::string& name, const std::string& value, const std::string& description,
                        std::vector<std::string>& target) {
  add({.name = name, .letter = "", .value = value, .description = description}, [=, &target](const std::string& text) {
    target.clear();
    for (std::size_t begin = 0; begin <= text.size();) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end == begin) throw UsageError{"--" + name + ": found \"" + text + "\", expected words with commas", ""};
      target.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  });
}

void CommandLine::decimal(const std::string& name, const std::string& value, const std::string& description,
                          double most, std::optional<double>& target) {
  add({.name = name, .letter = "", .value = value, .description = description}, [=, &target](const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !(number > 0) || number > most) {
      throw UsageError{"--" + name + ": found \"" + text + "\", expected a number above 0 and at most " +
                           std::to_string(static_cast<std::int64_t>(most)),
                       ""};
    }
    target = number;
  });
}

void CommandLine::real(const std::string& name, const std::string& description, double least, double most,
                       std::optional<double>& target) {
  add({.name = name, .letter = "", .value = "X", .description = description}, [=, &target](const std::string& text) {
    double number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size() || !(number >= least) || !(number <= most)) {
      throw UsageError{"--" + name + ": found \"" + text + "\", expected a number from " + shortest_text(least) +
                           " to " + shortest_text(most),
                       ""};
    }
    target = number;
  });
}

void CommandLine::texts(const std::string& name, const std::string& description, std::vector<std::string>& target) {
  add({.name = name, .letter = "", .value = "TEXT", .description = description},
      [&target](const std::string& text) { target.push_back(text); });
}

void CommandLine::bytes(const std::string& name, const std::string& description, std::int64_t& target) {
  add({.name = name, .letter = "", .value = "SIZE", .description = description},
      [=, &target](const std::string& text) { target = bytes_in(name, text); });
}

void CommandLine::optional_value(const std::string& name, const std::string& value, const std::string& description,
                                 std::optional<std::string>& target) {
  add({.name = name, .letter = "", .value = value, .description = description, .value_optional = true},
      [&target](const std::string& text) { target = text; });
}

void CommandLine::optional_value(const std::string& name, const std::string& value, const std::string& fallback,
                                 const std::string& description, std::string& target) {
  add({.name = name, .letter = "", .value = value, .description = description, .value_optional = true},
      [&target, fallback](const std::string& text) { target = text.empty() ? fallback : text; });
}

void CommandLine::fail_option(int found, const std::vector<char*>& words) const {
  const auto next = static_cast<std::size_t>(optind);
  std::string word = words[next - 1];
  // Inside a group of letters the C library still stands at the word.
  const bool in_letters = optopt > 0 && optopt < kFirstLong;
  if (found == '?' && in_letters && words[next] != nullptr && words[next][0] == '-' &&
      std::string_view(words[next]).find(static_cast<char>(optopt)) != std::string_view::npos) {
    word = words[next];
  }
  const std::string help = "ipfs-accelerate " + facts_.name + " --help lists the options";
  const std::string written = word.substr(0, word.find('='));
  if (found == ':') throw UsageError{word + " needs a value", help};
  if (optopt >= kFirstLong) throw UsageError{written + " takes no value, found \"" + word + "\"", help};

  std::vector<std::string> known;
  std::string meant;  // what a shortened option may stand for; with one meaning it would have been taken
  for (const OptionFacts& option : facts_.options) {
    known.push_back("--" + option.name);
    if (written.size() > 2 && known.back().starts_with(written)) meant += (meant.empty() ? "" : ", ") + known.back();
  }
  if (!meant.empty()) throw UsageError{written + " may mean " + meant, help};
  const std::vector<std::string> near = nearest(written, known, 1);
  std::string hint;
  if (!near.empty() && edit_distance(written, near[0]) <= 3) hint = "did you mean " + near[0] + "? ";
  if (arguments_ != nullptr) hint += "A text that begins with a dash goes after \"--\". ";
  throw UsageError{"ipfs-accelerate " + facts_.name + " has no option " + written, hint + help};
}

void CommandLine::take_arguments(const std::vector<std::string>& found) {
  std::size_t next = 0;
  for (; next < required_.size(); ++next) {
    const OptionFacts& argument = facts_.arguments[next];
    if (next >= found.size()) {
      throw UsageError{argument.value + " is missing: " + argument.description, "usage: " + facts_.usage};
    }
    *required_[next] = found[next];
  }
  if (argument_if_any_ != nullptr && next < found.size()) *argument_if_any_ = found[next++];
  if (arguments_ != nullptr) {
    arguments_->assign(found.begin() + static_cast<std::ptrdiff_t>(next), found.end());
  } else if (next < found.size()) {
    std::string hint = "usage: " + facts_.usage;
    for (const OptionFacts& option : facts_.options) {
      if (!option.value_optional) continue;
      hint += "; the value of --" + option.name + " is joined to it: --" + option.name + "=...";
    }
    throw UsageError{"\"" + found[next] + "\" was not expected", hint};
  }
}

std::size_t CommandLine::option_found(int found) const {
  if (found >= kFirstLong) return static_cast<std::size_t>(found - kFirstLong);
  std::size_t which = 0;
  while (facts_.options[which].letter != std::string(1, static_cast<char>(found))) ++which;
  return which;
}

void CommandLine::take(std::size_t which, const char* text) {
  const OptionFacts& option = facts_.options[which];
  if (text != nullptr) require_choice(option, text);
  takes_[which](text == nullptr ? "" : text);
}

void CommandLine::parse(const std::vector<std::string>& argv) {
  flag("help", "Show this help", asked_for_help_, "h");
  std::vector<::option> longs;
  std::string letters = ":";
  for (std::size_t i = 0; i < facts_.options.size(); ++i) {
    const OptionFacts& option = facts_.options[i];
    const int has = option.value.empty() ? no_argument : option.value_optional ? optional_argument : required_argument;
    longs.push_back({option.name.c_str(), has, nullptr, kFirstLong + static_cast<int>(i)});
    letters += option.letter;
  }
  longs.push_back({});
  std::vector<char*> words;
  for (const std::string& word : argv) words.push_back(const_cast<char*>(word.c_str()));
  words.push_back(nullptr);

  // The C library says how far it has come in variables of its own; 0 starts anew.
  optind = 0;
  const int count = static_cast<int>(argv.size());
  int found = 0;
  while ((found = getopt_long(count, words.data(), letters.c_str(), longs.data(), nullptr)) >= 0) {
    if (found == '?' || found == ':') fail_option(found, words);
    take(option_found(found), optarg);
  }
  if (asked_for_help_) return;
  take_arguments({words.begin() + optind, words.begin() + count});
}

}  // namespace accelerate::cli
