#include "core/variables.hpp"

#include <unistd.h>

#include <cstdlib>

extern char** environ;  // NOLINT(readability-redundant-declaration): POSIX asks for it, glibc declares it too

namespace accelerate {

std::string environment_variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

char** environment_block() { return environ; }

}  // namespace accelerate
