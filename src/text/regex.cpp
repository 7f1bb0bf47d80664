#define PCRE2_CODE_UNIT_WIDTH 8
#include "text/regex.hpp"

#include <pcre2.h>

namespace accelerate::text {
namespace {

// Enough for any sane pattern; a pattern that needs more on one match is hostile.
constexpr std::uint32_t kMatchLimit = 5'000'000, kDepthLimit = 200'000, kHeapLimitKib = 64 * 1024;

std::string message_of(int code) {
  PCRE2_UCHAR buffer[200] = {};
  pcre2_get_error_message(code, buffer, sizeof buffer);
  return reinterpret_cast<const char*>(buffer);
}

}  // namespace

struct Regex::Code {
  struct Free {
    void operator()(pcre2_code* freed) const { pcre2_code_free(freed); }
    void operator()(pcre2_compile_context* freed) const { pcre2_compile_context_free(freed); }
    void operator()(pcre2_match_context* freed) const { pcre2_match_context_free(freed); }
    void operator()(pcre2_match_data* freed) const { pcre2_match_data_free(freed); }
  };
  std::unique_ptr<pcre2_code, Free> code;
  std::unique_ptr<pcre2_match_context, Free> context;
};

Regex::Regex(std::string_view pattern) : code_(std::make_unique<Code>()) {
  const std::string translated = to_pcre2_syntax(pattern);
  const std::unique_ptr<pcre2_compile_context, Code::Free> context(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  pcre2_set_parens_nest_limit(context.get(), 100);
  int error = 0;
  PCRE2_SIZE offset = 0;
  // In Ruby's syntax ^ and $ match at every line.
  code_->code.reset(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(translated.data()), translated.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &error, &offset,
                                  context.get()));
  if (!code_->code) {
    throw Error(ErrorKind::unsupported, "the pattern \"" + std::string(pattern) + "\" cannot be compiled: " +
                                            message_of(error) + " at character " + std::to_string(offset));
  }
  pcre2_jit_compile(code_->code.get(), PCRE2_JIT_COMPLETE);
  code_->context.reset(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(code_->context.get(), kMatchLimit);
  pcre2_set_depth_limit(code_->context.get(), kDepthLimit);
  pcre2_set_heap_limit(code_->context.get(), kHeapLimitKib);
}

Regex::~Regex() = default;
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;

void Regex::find_all(std::string_view text, std::vector<Match>& out) const {
  if (text.empty()) return;
  const std::unique_ptr<pcre2_match_data, Code::Free> data(pcre2_match_data_create(1, nullptr));
  const PCRE2_SIZE* found = pcre2_get_ovector_pointer(data.get());
  const auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  std::size_t from = 0, previous = 0;
  bool have_last = false;
  std::size_t last_end = 0;
  while (from <= text.size()) {
    const auto match = [&](std::uint32_t options) {
      return pcre2_match(code_->code.get(), subject, text.size(), from, PCRE2_NO_UTF_CHECK | options, data.get(),
                         code_->context.get());
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) break;
    if (result < 0) throw Error(ErrorKind::invalid_input, "a pattern gave up on this text: " + message_of(result));
    const std::size_t begin = found[0], end = found[1];
    if (begin > end || begin < from) {
      throw Error(ErrorKind::unsupported, "a pattern matches outside the text that it looks at (\\K in a lookaround)");
    }
    if (begin == end && have_last && last_end == end) {
      from = end < text.size() ? end + utf8_length(static_cast<unsigned char>(text[end])) : end + 1;
      continue;
    }
    if (previous < begin)
      out.push_back({static_cast<std::uint32_t>(previous), static_cast<std::uint32_t>(begin), false});
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), true});
    previous = from = last_end = end;
    have_last = true;
  }
  if (previous < text.size()) {
    out.push_back({static_cast<std::uint32_t>(previous), static_cast<std::uint32_t>(text.size()), false});
  }
}

Pattern::Pattern(const Json& json) {
  if (const Json* text = json.find("String")) {
    literal_ = text->as_string();
  } else if (const Json* regex = json.find("Regex")) {
    expression_ = regex->as_string();
  } else if (json.is_string()) {
    literal_ = json.as_string();
  } else {
    throw Error(ErrorKind::corrupted, "found " + json.dump() + ", expected {\"String\": ...} or {\"Regex\": ...}",
                "pattern");
  }
  if (literal_.empty()) regex_ = std::make_unique<Regex>(expression_);
}

Pattern Pattern::literal(std::string text) {
  Pattern pattern;
  pattern.literal_ = std::move(text);
  return pattern;
}

void Pattern::find_all(std::string_view text, std::vector<Match>& out) const {
  if (regex_) return regex_->find_all(text, out);
  std::size_t previous = 0;
  while (previous < text.size()) {
    const std::size_t begin = text.find(literal_, previous);
    const std::size_t stop = begin == std::string_view::npos ? text.size() : begin;
    if (previous < stop) out.push_back({static_cast<std::uint32_t>(previous), static_cast<std::uint32_t>(stop), false});
    if (begin == std::string_view::npos) return;
    previous = begin + literal_.size();
    out.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(previous), true});
  }
}

}  // namespace accelerate::text
