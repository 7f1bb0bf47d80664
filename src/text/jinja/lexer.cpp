#include "text/jinja/lexer.hpp"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "text/jinja/literals.hpp"
#include "text/jinja/strings.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

// jinja2 reads any end of line as \n, and drops one at the end of the template.
std::string normalized(std::string_view source) {
  std::string text;
  text.reserve(source.size());
  for (std::size_t at = 0; at < source.size(); ++at) {
    const bool crlf = source[at] == '\r' && at + 1 < source.size() && source[at + 1] == '\n';
    if (!crlf) text += source[at] == '\r' ? '\n' : source[at];
  }
  if (text.ends_with('\n')) text.pop_back();
  return text;
}

bool is_word(char32_t c) {
  if (c < 0x80) return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  return Unicode::get().is(c, kWord);
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : text_(source) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) root();
    add(TokenType::end);
    return std::move(tokens_);
  }

 private:
  [[noreturn]] void fail_here(std::string message) const { throw SyntaxFailure{line_, std::move(message)}; }

  bool starts(std::string_view with) const { return text_.substr(at_).starts_with(with); }

  void advance(std::size_t bytes) {
    const std::string_view passed = text_.substr(at_, bytes);
    line_ += static_cast<int>(std::count(passed.begin(), passed.end(), '\n'));
    at_ += passed.size();
  }

  void add(TokenType type, std::string text = {}) { tokens_.push_back({type, line_, std::move(text), {}}); }

  void skip_space() {
    while (at_ < text_.size()) {
      const Decoded c = decode_at(text_, at_);
      if (!is_space(c.value)) return;
      advance(c.length);
    }
  }

  void root();
  void data(std::size_t end, bool strips_line);
  void comment();
  bool raw();
  void inside(TokenType end_type, std::string_view end_mark);
  bool ends_inside(TokenType end_type, std::string_view end_mark);
  void after_block();
  void token();
  void word();
  void string();
  void number();
  void symbol();
  void balance(char c);

  std::string_view text_;
  std::size_t at_ = 0;
  int line_ = 1;
  bool line_starts_ = true;  // the text from `at_` on begins a line
  std::string brackets_;     // that are open, inside a tag
  std::vector<Token> tokens_;
};

// Text up to the tag at `end`, which is two characters and perhaps a sign.
void Lexer::data(std::size_t end, bool strips_line) {
  std::string_view text = text_.substr(at_, end - at_);
  const char sign = end + 2 < text_.size() ? text_[end + 2] : '\0';
  if (sign == '-') {
    text = stripped(text, Ends::right);
  } else if (strips_line && sign != '+') {
    const std::size_t line = text.rfind('\n') + 1;  // 0 where there is none
    if ((line > 0 || line_starts_) && stripped(text.substr(line)).empty()) text = text.substr(0, line);
  }
  if (!text.empty()) add(TokenType::data, std::string(text));
  advance(end - at_);
}

void Lexer::root() {
  std::size_t end = at_;
  for (;; ++end) {
    end = std::min(text_.find('{', end), text_.size());
    if (end >= text_.size()) {
      add(TokenType::data, std::string(text_.substr(at_)));
      advance(end - at_);
      return;
    }
    const std::string_view mark = text_.substr(end, 2);
    if (mark == "{%" || mark == "{{" || mark == "{#") break;
  }
  const char mark = text_[end + 1];
  data(end, mark != '{');
  line_starts_ = false;
  if (mark == '#') return comment();
  if (mark == '%' && raw()) return;
  add(mark == '%' ? TokenType::block_begin : TokenType::output_begin);
  advance(2);
  if (starts("-") || starts("+")) advance(1);
  if (mark == '%') {
    inside(TokenType::block_end, "%}");
  } else {
    inside(TokenType::output_end, "}}");
  }
}

// Behind a block, comment or raw part: its line's end belongs to it.
void Lexer::after_block() {
  line_starts_ = starts("\n");
  if (line_starts_) advance(1);
}

void Lexer::comment() {
  const std::size_t end = text_.find("#}", at_ + 2);
  if (end == std::string_view::npos) fail_here("Missing end of comment tag");
  const char sign = end > at_ + 2 ? text_[end - 1] : '\0';
  advance(end + 2 - at_);
  if (sign == '-') {
    skip_space();
  } else if (sign != '+') {
    after_block();
  }
}

// {% raw %} ... {% endraw %}; false where another tag begins.
bool Lexer::raw() {
  // The end of "{%- NAME -%}" that begins at `at`, and where its closing mark is; npos where it is another tag.
  struct Tag {
    std::size_t end = std::string_view::npos;
    char sign = '\0';
  };
  const auto tag = [this](std::size_t at, std::string_view name) {
    at += 2;
    if (at < text_.size() && (text_[at] == '-' || text_[at] == '+')) ++at;
    while (at < text_.size() && is_space(static_cast<unsigned char>(text_[at]))) ++at;
    if (!text_.substr(at).starts_with(name)) return Tag{};
    at += name.size();
    while (at < text_.size() && is_space(static_cast<unsigned char>(text_[at]))) ++at;
    const char sign = at < text_.size() && (text_[at] == '-' || text_[at] == '+') ? text_[at++] : '\0';
    if (!text_.substr(at).starts_with("%}")) return Tag{};
    return Tag{at + 2, sign};
  };
  const Tag begin = tag(at_, "raw");
  if (begin.end == std::string_view::npos || begin.sign == '+') return false;
  advance(begin.end - at_);
  if (begin.sign == '-') skip_space();
  for (std::size_t at = text_.find("{%", at_); at != std::string_view::npos; at = text_.find("{%", at + 2)) {
    const Tag end = tag(at, "endraw");
    if (end.end == std::string_view::npos) continue;
    data(at, true);
    advance(end.end - at_);
    if (end.sign == '-') {
      skip_space();
    } else if (end.sign != '+') {
      after_block();
    }
    return true;
  }
  fail_here("Missing end of raw directive");
}

bool Lexer::ends_inside(TokenType end_type, std::string_view end_mark) {
  const bool block = end_type == TokenType::block_end;
  const bool minus = starts(std::string("-").append(end_mark));
  const bool plus = block && starts(std::string("+").append(end_mark));
  if (!minus && !plus && !starts(end_mark)) return false;
  add(end_type);
  advance(end_mark.size() + (minus || plus ? 1 : 0));
  line_starts_ = false;
  if (minus) {
    skip_space();
  } else if (block && !plus) {
    after_block();
  }
  return true;
}

void Lexer::inside(TokenType end_type, std::string_view end_mark) {
  brackets_.clear();
  for (;;) {
    skip_space();
    if (at_ >= text_.size()) return;  // the parser misses the end
    if (brackets_.empty() && ends_inside(end_type, end_mark)) return;
    token();
  }
}

void Lexer::token() {
  const char c = text_[at_];
  if (c == '"' || c == '\'') return string();
  if (c >= '0' && c <= '9') return number();
  if (is_word(decode_at(text_, at_).value)) return word();
  symbol();
}

void Lexer::word() {
  std::size_t end = at_;
  while (end < text_.size()) {
    const Decoded c = decode_at(text_, end);
    if (!is_word(c.value)) break;
    end += c.length;
  }
  add(TokenType::name, std::string(text_.substr(at_, end - at_)));
  advance(end - at_);
}

void Lexer::string() {
  const char quote = text_[at_];
  std::size_t end = at_ + 1;
  while (end < text_.size() && text_[end] != quote) end += text_[end] == '\\' ? 2 : 1;
  if (end >= text_.size()) fail_here("a string has no end");
  const std::optional<std::string> value = unescaped(text_.substr(at_ + 1, end - at_ - 1));
  if (!value) fail_here("a string has an escape that is none");
  add(TokenType::literal);
  tokens_.back().value = *value;
  advance(end + 1 - at_);
}

void Lexer::number() {
  // "a.0.5" has two elements and no fraction.
  const bool after_dot = !tokens_.empty() && tokens_.back().is_symbol(".");
  const NumberLiteral number = read_number(text_.substr(at_), !after_dot);
  if (!number.error.empty()) fail_here(number.error);
  add(TokenType::literal);
  tokens_.back().value = number.value;
  advance(number.length);
}

void Lexer::balance(char c) {
  constexpr std::string_view kOpen = "([{", kClose = ")]}";
  if (kOpen.find(c) != std::string_view::npos) brackets_ += kClose[kOpen.find(c)];
  if (kClose.find(c) == std::string_view::npos) return;
  if (brackets_.empty()) fail_here(std::string("unexpected '") + c + "'");
  if (brackets_.back() != c) fail_here(std::string("unexpected '") + c + "', expected '" + brackets_.back() + "'");
  brackets_.pop_back();
}

void Lexer::symbol() {
  for (const std::string_view two : {"//", "**", "==", "!=", ">=", "<="}) {
    if (!starts(two)) continue;
    add(TokenType::symbol, std::string(two));
    return advance(2);
  }
  const char c = text_[at_];
  if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos) {
    fail_here("unexpected char '" + std::string(text_.substr(at_, decode_at(text_, at_).length)) + "'");
  }
  balance(c);
  add(TokenType::symbol, std::string(1, c));
  advance(1);
}

}  // namespace

std::vector<Token> tokenize(std::string_view source) {
  const std::string text = normalized(source);
  return Lexer(text).run();
}

}  // namespace accelerate::text::jinja
