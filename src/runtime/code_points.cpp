#include "runtime/code_points.hpp"

#include <algorithm>

namespace accelerate::runtime {
namespace {

bool begins(char byte) { return (static_cast<unsigned char>(byte) & 0xc0) != 0x80; }

}  // namespace

CodePoints::CodePoints(std::string_view text) : text_(text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (begins(text[i])) starts_.push_back(static_cast<std::uint32_t>(i));
  }
  starts_.push_back(static_cast<std::uint32_t>(text.size()));
}

Span CodePoints::span(std::int64_t start, std::int64_t end) const {
  start = std::clamp<std::int64_t>(start, 0, count());
  end = std::clamp(end, start, count());
  return {start, end, starts_[static_cast<std::size_t>(start)], starts_[static_cast<std::size_t>(end)]};
}

std::string_view CodePoints::slice(std::int64_t start, std::int64_t end) const {
  const Span bytes = span(start, end);
  return text_.substr(static_cast<std::size_t>(bytes.start_byte),
                      static_cast<std::size_t>(bytes.end_byte - bytes.start_byte));
}

std::size_t code_point_count(std::string_view text) {
  return static_cast<std::size_t>(std::ranges::count_if(text, begins));
}

}  // namespace accelerate::runtime
