// Values as text, as Python writes them: str(), repr(), json.dumps().
#pragma once

#include <optional>

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

// str(): what {{ value }} prints; nothing for an undefined one.
void append_str(std::string& out, const Value& value, Budget& budget);
std::string str(const Value& value, Budget& budget);
std::string repr(const Value& value, Budget& budget);
// The shortest digits that give the number back: "1.0", "1e+16", "inf".
std::string real_repr(double value);

struct JsonStyle {
  bool ascii = false;                 // \u for everything beyond ASCII
  std::optional<std::string> indent;  // what a level is indented by; without it all is on one line
  std::string item_separator = ", ", key_separator = ": ";
  bool sort_keys = false;
};
std::string json_text(const Value& value, const JsonStyle& style, Budget& budget);

}  // namespace accelerate::text::jinja
