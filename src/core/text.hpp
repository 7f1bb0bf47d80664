// Lists as people and programs read them.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace accelerate {

// name(each) of all, with `between` between them: "f32, bf16, int8".
template <typename Range, typename Name = std::identity>
std::string joined(const Range& range, std::string_view between = ", ", Name&& name = {}) {
  std::string text, before;
  for (const auto& each : range) {
    text += before;
    text += name(each);
    before = between;
  }
  return text;
}

// As errors name what users wrote or files hold.
inline std::string in_quotes(std::string_view text) { return "\"" + std::string(text) + "\""; }

}  // namespace accelerate
