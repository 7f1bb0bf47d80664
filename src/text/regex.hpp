// Regular expressions as tokenizer.json writes them (Oniguruma's Ruby syntax), matched by PCRE2.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/components.hpp"

namespace accelerate::text {

// Oniguruma's spelling turned into PCRE2's: \h, \uHHHH, property names, intersections and nesting of classes.
// Error{unsupported} for what has no counterpart.
std::string to_pcre2_syntax(std::string_view pattern);

class Regex {
 public:
  // Error{unsupported} where PCRE2 cannot compile it, with the place in the pattern.
  explicit Regex(std::string_view pattern);
  ~Regex();
  Regex(Regex&&) noexcept;
  Regex& operator=(Regex&&) noexcept;

  // All matches in valid UTF-8 and the text between them, covering all of it; empty for an empty text. An empty match
  // right behind another match is passed over, as Oniguruma's iteration does.
  // Error{invalid_input} when matching takes too many steps.
  void find_all(std::string_view text, std::vector<Match>& out) const;

 private:
  struct Code;
  std::unique_ptr<Code> code_;
};

// A pattern of Split or Replace: {"String": ...} is literal, {"Regex": ...} an expression.
class Pattern {
 public:
  explicit Pattern(const Json& json);
  static Pattern literal(std::string text);

  void find_all(std::string_view text, std::vector<Match>& out) const;
  // The expression, or empty for a literal.
  const std::string& expression() const { return expression_; }

 private:
  Pattern() = default;
  std::string literal_, expression_;
  std::unique_ptr<Regex> regex_;
};

}  // namespace accelerate::text
