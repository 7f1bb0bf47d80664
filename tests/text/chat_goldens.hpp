// Reading what Transformers made of chat templates (tools/make_chat_goldens.py).
#pragma once

#include <gtest/gtest.h>

#include <ctime>

#include "text/chat_template.hpp"
#include "text/golden_rows.hpp"

namespace accelerate::text {

inline std::filesystem::path chat_goldens() { return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens" / "chat"; }

// The moment that strftime_now told when the goldens were made: Friday 26 July 2024, noon.
inline std::tm golden_noon() {
  std::tm noon{};
  noon.tm_year = 124;
  noon.tm_mon = 6;
  noon.tm_mday = 26;
  noon.tm_hour = 12;
  noon.tm_wday = 5;
  noon.tm_yday = 207;
  return noon;
}

// `render` gives the row's text, or fails where it failed; with the same words where the template raised them itself.
template <typename Render>
void expect_outcome(const Json& row, Render&& render) {
  try {
    const std::string text = render();
    const Json* expected = row.find("text");
    ASSERT_NE(expected, nullptr) << "gave \"" << text << "\", expected the error: " << row.at("error").as_string();
    EXPECT_EQ(text, expected->as_string());
  } catch (const Error& error) {
    const Json* expected = row.find("error");
    ASSERT_NE(expected, nullptr) << error.what() << "\nexpected the text: " << row.at("text").as_string();
    EXPECT_NE(error.kind(), ErrorKind::internal);
    if (row.at("raised").as_bool()) {
      EXPECT_EQ(error.message(), expected->as_string());
    }
  }
}

}  // namespace accelerate::text
