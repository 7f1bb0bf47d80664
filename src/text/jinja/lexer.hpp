// A template's text as tokens, white space controlled as jinja2 does with trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/value.hpp"

namespace accelerate::text::jinja {

enum class TokenType : std::uint8_t {
  data,
  block_begin,
  block_end,
  output_begin,
  output_end,
  name,
  literal,
  symbol,
  end
};

struct Token {
  TokenType type = TokenType::end;
  int line = 1;
  std::string text = {};  // data, a name, a symbol
  Value value = {};       // of a literal: string, integer, real

  bool is_name(std::string_view name) const { return type == TokenType::name && text == name; }
  bool is_symbol(std::string_view symbol) const { return type == TokenType::symbol && text == symbol; }
};

// What stands at a line of the template and cannot be understood.
struct SyntaxFailure {
  int line;
  std::string message;
};

// `source` is valid UTF-8. SyntaxFailure for what is no template. The last token is `end`.
std::vector<Token> tokenize(std::string_view source);

}  // namespace accelerate::text::jinja
