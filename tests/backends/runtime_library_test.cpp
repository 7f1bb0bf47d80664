// Where the library of a runtime is looked for, and what is said when it is not there or is another one.
#include "backends/runtime_library.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "backends/runtime_libraries.hpp"
#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

class RuntimeLibraries : public testing::Test {
 protected:
  static bool has(const std::vector<std::filesystem::path>& places, const std::filesystem::path& place) {
    return std::find(places.begin(), places.end(), place) != places.end();
  }

  const TemporaryFolder folder_;
  const RuntimeLibrary library_{.name = "Example Runtime",
                                .package = "example",
                                .variable = "ACCELERATE_TEST_RUNTIME",
                                .prefix = "libexample.",
                                .known_to_loader = {"libexample.so.7"},
                                .folders = {folder_.path() / "usual"},
                                .in_packages = "example/libs"};
};

TEST_F(RuntimeLibraries, AreKnownToTheLoaderOrInUsualFoldersTheNewestFirst) {
  const auto older = folder_.write("usual/libexample.so.7.1", ""), newer = folder_.write("usual/libexample.so.7.2", "");
  const auto places = library_candidates(library_);
  ASSERT_GE(places.size(), 3U);
  EXPECT_EQ(places[0], "libexample.so.7");
  EXPECT_EQ(places[1], newer);
  EXPECT_EQ(places[2], older);
}

TEST_F(RuntimeLibraries, AreFoundInThePackagesOfAVirtualEnvironment) {
  const auto file = folder_.write("environment/lib/python3.11/site-packages/example/libs/libexample.so.7", "");
  EXPECT_FALSE(has(library_candidates(library_), file));
  const test::Variable environment("VIRTUAL_ENV", (folder_.path() / "environment").string());
  EXPECT_TRUE(has(library_candidates(library_), file));
}

TEST_F(RuntimeLibraries, AreNowhereElseOnceTheVariableNamesAPlace) {
  folder_.write("usual/libexample.so.7", "");
  const auto in_packages = folder_.write("packages/example/libs/libexample.so.7", "");
  const test::Variable packages(library_.variable, (folder_.path() / "packages").string());
  EXPECT_EQ(library_candidates(library_), std::vector{in_packages});
  const test::Variable file(library_.variable, "/somewhere/libexample.so");
  EXPECT_EQ(library_candidates(library_), std::vector<std::filesystem::path>{"/somewhere/libexample.so"});
}

TEST_F(RuntimeLibraries, ThatAreAbsentAreSaidWithWhereTheyWereLookedFor) {
  const Error error = error_of([&] { open_library(library_); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "Example Runtime is not there")) << error.what();
  EXPECT_TRUE(contains(error.message(), (folder_.path() / "usual").string())) << error.what();
  EXPECT_TRUE(contains(error.hint(), "pip install example")) << error.what();
  EXPECT_TRUE(contains(error.hint(), library_.variable)) << error.what();
}

TEST_F(RuntimeLibraries, ThatAreNoLibrariesAreSaid) {
  const auto text = folder_.write("usual/libexample.so", "no library");
  const Error error = error_of([&] { open_library(library_); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "does not open: " + text.string())) << error.what();
}

TEST_F(RuntimeLibraries, ThatAFileIsNamedForMustBeThere) {
  const test::Variable file(library_.variable, "/somewhere/libexample.so");
  const Error error = error_of([&] { open_library(library_); });
  EXPECT_TRUE(contains(error.message(), "does not open: /somewhere/libexample.so")) << error.what();
}

TEST_F(RuntimeLibraries, OpenOnceForEachPlace) {
  int opened = 0;
  OpenedOnce<int> once;
  const auto open = [&] { return std::make_shared<const int>(++opened); };
  EXPECT_EQ(*once.get("ACCELERATE_TEST_RUNTIME", open), 1);
  EXPECT_EQ(*once.get("ACCELERATE_TEST_RUNTIME", open), 1);
  const test::Variable place("ACCELERATE_TEST_RUNTIME", "/elsewhere");
  EXPECT_EQ(*once.get("ACCELERATE_TEST_RUNTIME", open), 2);
}

}  // namespace
}  // namespace accelerate
