// What the environment of this process says.
#pragma once

#include <string>

namespace accelerate {

// The value of a variable; empty where it is not set.
std::string environment_variable(const char* name);

// All of it, "NAME=VALUE" each, ended by a null: what exec and posix_spawn take.
char** environment_block();

}  // namespace accelerate
