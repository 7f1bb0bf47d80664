// What stands on a screen: tables, widths, numbers, the progress line.
#include "cli/output.hpp"

#include <gtest/gtest.h>

#include "cli/progress_bar.hpp"
#include "cli/text_width.hpp"

namespace accelerate::cli {
namespace {

TEST(TextWidth, CountsColumns) {
  EXPECT_EQ(display_width("naïve"), 5U);
  EXPECT_EQ(display_width("e\u0301"), 1U);
  EXPECT_EQ(display_width("敏捷"), 4U);
  EXPECT_EQ(display_width("🙂"), 2U);
  EXPECT_EQ(display_width(""), 0U);
}

TEST(TextWidth, ShortensAtCharactersNotBytes) {
  EXPECT_EQ(shortened("naïve", 5), "naïve");
  EXPECT_EQ(shortened("naïve", 4), "naï…");
  EXPECT_EQ(shortened("敏捷的", 4), "敏…");
  EXPECT_LE(display_width(shortened("敏捷的棕色狐狸", 6)), 6U);
}

TEST(TextWidth, WritesControlCharactersOut) {
  EXPECT_EQ(printable("a\x1b[31mb\n\t\x7f"), "a\\x1b[31mb\\n\\t\\x7f");
  EXPECT_EQ(printable("naïve 🙂"), "naïve 🙂");
}

TEST(Table, AlignsColumnsByWhatIsSeen) {
  Table table({{"name"}, {"n", Align::right}});
  table.row({"敏捷", "7"});
  table.row({"b", "1234"});
  EXPECT_EQ(table.text(false), "name     n\n敏捷     7\nb     1234\n");
}

TEST(Table, MarksHeadingsOnlyWhenAsked) {
  Table table({{"a"}});
  table.row({"b"});
  EXPECT_EQ(table.text(false).find('\x1b'), std::string::npos);
  EXPECT_NE(table.text(true).find('\x1b'), std::string::npos);
}

TEST(Table, KeepsHostileCellsInTheirPlace) {
  Table table({{""}});
  table.row({"a\nb\x1b[2J"});
  EXPECT_EQ(table.text(false), "a\\nb\\x1b[2J\n");
}

TEST(Numbers, AreShort) {
  EXPECT_EQ(bytes_text(0), "0 B");
  EXPECT_EQ(bytes_text(999), "999 B");
  EXPECT_EQ(bytes_text(1500), "1.5 kB");
  EXPECT_EQ(bytes_text(90'868'376), "90.9 MB");
  EXPECT_EQ(bytes_text(999'999), "1.0 MB");
  EXPECT_EQ(count_text(22'713'216), "22.7 M");
  EXPECT_EQ(count_text(12), "12");
  EXPECT_EQ(significant_text(3.1e-07, 2), "3.1e-07");
}

TEST(Progress, ShowsShareRateAndRemainingTime) {
  EXPECT_EQ(progress_line(0.5, 100, 10, "texts"),
            " 50 %  [============            ]  100 texts  10 texts/s  0:10 left");
  EXPECT_EQ(progress_line(1, 7, 70, "texts"), "100 %  [========================]  7 texts  0.1 texts/s  0:00 left");
}

TEST(Progress, ShowsOnlyTheRateWhenTheEndIsNotKnown) {
  EXPECT_EQ(progress_line(-1, 20, 2, "texts"), "20 texts  10 texts/s");
}

TEST(Progress, CountsHours) { EXPECT_NE(progress_line(0.001, 1, 10, "texts").find("2:46:30 left"), std::string::npos); }

}  // namespace
}  // namespace accelerate::cli
