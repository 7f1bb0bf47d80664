// Scripts with which shells complete this program's command line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.hpp"

namespace accelerate::cli {

// shell: "bash", "zsh" or "fish"; UsageError for any other.
std::string completion_script(std::string_view shell, const std::vector<CommandFacts>& commands);

}  // namespace accelerate::cli
