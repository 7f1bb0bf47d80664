// Where the library of a runtime is looked for, and what is said when it is not there or is another one.
#include "backends/runtime_library.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "checkpoint/temporary_folder.hpp"
#include "core/environment.hpp"

namespace accelerate {
namespace {

class RuntimeLibraries : public testing::Test {
 protected:
  static bool has(const std::vector<std::filesystem::path>& places, const std::filesystem::path& place) {
    return std::find(places.begin(), places.end(), place) != places.end();
  }

  const TemporaryFolder folder_;
  test::Environment environment_;
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
  environment_.set("VIRTUAL_ENV", (folder_.path() / "environment").string());
  EXPECT_TRUE(has(library_candidates(library_), file));
}

TEST_F(RuntimeLibraries, AreNowhereElseOnceTheVariableNamesAPlace) {
  folder_.write("usual/libexample.so.7", "");
  const auto in_packages = folder_.write("packages/example/libs/libexample.so.7", "");
  environment_.set(library_.variable, (folder_.path() / "packages").string());
  EXPECT_EQ(library_candidates(library_), std::vector{in_packages});
  environment_.set(library_.variable, "/somewhere/libexample.so");
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
  environment_.set(library_.variable, "/somewhere/libexample.so");
  const Error error = error_of([&] { open_library(library_); });
  EXPECT_TRUE(contains(error.message(), "does not open: /somewhere/libexample.so")) << error.what();
}

// Stands for what a backend makes of an opened library.
class Opened {
 public:
  std::filesystem::path path() const { return path_; }

 private:
  friend class OpenedOnce<Opened>;
  explicit Opened(const OpenedLibrary& library) : path_(library.path) {}
  std::filesystem::path path_;
};

TEST_F(RuntimeLibraries, OpenOnceForEachPlace) {
  OpenedOnce<Opened> once;
  RuntimeLibrary library = library_;
  library.known_to_loader = {"libm.so.6"};
  const auto opened = once.get(library, "");
  EXPECT_EQ(opened->path(), "libm.so.6");
  EXPECT_EQ(once.get(library, ""), opened);
  environment_.set(library.variable, "libc.so.6");
  EXPECT_EQ(once.get(library, "")->path(), "libc.so.6");
}

TEST_F(RuntimeLibraries, ThatDoNotOpenAreLookedForAgain) {
  OpenedOnce<Opened> once;
  const auto open = [&] { once.get(library_, "device example"); };
  EXPECT_EQ(error_of(open).where(), "device example");
  environment_.set(library_.variable, "libm.so.6");
  EXPECT_NO_THROW(open());
}

}  // namespace
}  // namespace accelerate
