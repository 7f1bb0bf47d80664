// Help texts.
#pragma once

#include <string>

#include "cli/arguments.hpp"

namespace accelerate::cli {

std::string help_text(const std::vector<CommandFacts>& commands);
std::string help_text(const CommandFacts& command);

}  // namespace accelerate::cli
