// Files that a command reads whole.
#pragma once

#include <iostream>
#include <iterator>
#include <string>

#include "core/file.hpp"

namespace accelerate::cli {

constexpr std::size_t kLargestChat = std::size_t{1} << 30;  // bytes

// "-" is stdin. Errors of read_file(), which refuses a file of more than `most` bytes.
inline std::string input_text(const std::string& file, std::size_t most) {
  if (file != "-") return read_file(file, most);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}
// What errors call it.
inline std::string input_name(const std::string& file) { return file == "-" ? "stdin" : file; }

}  // namespace accelerate::cli
