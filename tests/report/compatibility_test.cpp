#include "report/compatibility.hpp"

#include <gtest/gtest.h>

namespace accelerate::report {
namespace {

std::vector<records::CompatibilityError> one_error() {
  return {{.hardware = "cuda:0 (A GPU)",
           .kind = "crashed",
           .severity = "error",
           .component = "probe",
           .message = "a | bar\nand a line",
           .advice = "update it",
           .first_ms = 1795457530123,
           .last_ms = 1795457530123,
           .times = 3,
           .machine = {.id = "0123456789abcdef"},
           .code = {.version = "0.1.0"}}};
}

TEST(CompatibilityReport, IsATableInMarkdown) {
  const std::string text = compatibility_markdown(one_error());
  EXPECT_NE(
      text.find("| cuda:0 (A GPU) | crashed | error | probe |  | a \\| bar and a line | update it | 2026-11-23 | 3 "
                "|\n"),
      std::string::npos)
      << text;
}

TEST(CompatibilityReport, WithoutErrorsSaysSo) {
  EXPECT_EQ(compatibility_markdown({}),
            "# Compatibility\n\nNo device, driver or model has failed in what was recorded.\n");
  EXPECT_TRUE(compatibility_json({}).at("errors").items().empty());
}

TEST(CompatibilityReport, HasEveryFieldInJson) {
  const Json error = compatibility_json(one_error()).at("errors").items().at(0);
  EXPECT_EQ(error.at("hardware").as_string(), "cuda:0 (A GPU)");
  EXPECT_EQ(error.at("message").as_string(), "a | bar\nand a line");
  EXPECT_EQ(error.at("last").as_string(), "2026-11-23T18:12:10.123Z");
  EXPECT_EQ(error.at("times").as_int(), 3);
  EXPECT_EQ(error.at("machine").as_string(), "0123456789abcdef");
  EXPECT_EQ(error.at("version").as_string(), "0.1.0");
  for (const char* field : {"kind", "severity", "component", "model", "advice", "first"}) {
    EXPECT_TRUE(error.at(field).is_string()) << field;
  }
}

}  // namespace
}  // namespace accelerate::report
