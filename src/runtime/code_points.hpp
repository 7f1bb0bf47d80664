// Places in a text: counted in code points, as tokenizers and Python count, and in bytes, as C++ does.
#pragma once

#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"

namespace accelerate::runtime {

// Index of valid UTF-8, which must outlive it.
class CodePoints {
 public:
  explicit CodePoints(std::string_view text);

  std::int64_t count() const { return static_cast<std::int64_t>(starts_.size()) - 1; }
  // Of code points [start, end); both are cut to the text.
  Span span(std::int64_t start, std::int64_t end) const;
  std::string_view slice(std::int64_t start, std::int64_t end) const;

 private:
  std::string_view text_;
  std::vector<std::uint32_t> starts_;  // byte of each code point, and the end
};

// Number of code points of valid UTF-8.
std::size_t code_point_count(std::string_view text);

}  // namespace accelerate::runtime
