// What PCRE2 says of a text: the reference for expressions.
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <gtest/gtest.h>
#include <pcre2.h>

#include <string>

namespace accelerate::decoding::constraint {

class Pcre {
 public:
  // Of the whole text, or somewhere in it.
  explicit Pcre(const std::string& pattern, bool whole = true) {
    int error = 0;
    PCRE2_SIZE offset = 0;
    // Not PCRE2_ENDANCHORED, which excludes partial matches.
    const std::string group = "(?:" + pattern + (whole ? ")\\z" : ")");
    pcre2_compile_context* context = pcre2_compile_context_create(nullptr);
    pcre2_set_newline(context, PCRE2_NEWLINE_LF);
    code_ = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(group.data()), group.size(),
                          PCRE2_UTF | PCRE2_DOLLAR_ENDONLY | (whole ? PCRE2_ANCHORED : 0U), &error, &offset, context);
    pcre2_compile_context_free(context);
    EXPECT_NE(code_, nullptr) << pattern << " at " << offset;
    data_ = pcre2_match_data_create(1, nullptr);
  }
  Pcre(const Pcre&) = delete;
  Pcre& operator=(const Pcre&) = delete;
  ~Pcre() {
    pcre2_match_data_free(data_);
    pcre2_code_free(code_);
  }
  bool accepts(const std::string& text) const { return match(text, 0) >= 0; }
  // It matches, or could with more text. Not for empty texts, which PCRE2 says nothing about.
  bool begins(const std::string& text) const {
    const int found = match(text, PCRE2_PARTIAL_SOFT);
    return found >= 0 || found == PCRE2_ERROR_PARTIAL;
  }

 private:
  int match(const std::string& text, std::uint32_t options) const {
    return pcre2_match(code_, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, options, data_, nullptr);
  }
  pcre2_code* code_ = nullptr;
  pcre2_match_data* data_ = nullptr;
};

}  // namespace accelerate::decoding::constraint
