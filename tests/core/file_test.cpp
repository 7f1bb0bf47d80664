#include "core/file.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/temporary_folder.hpp"
#include "core/memory.hpp"
#include "core/resident.hpp"

namespace accelerate {
namespace {

namespace fs = std::filesystem;

TEST(ReadFile, GivesTheWholeFileOrSaysWhyNot) {
  const TemporaryFolder folder;
  EXPECT_EQ(read_file(folder.write("a", std::string("x\0y", 3))), std::string("x\0y", 3));
  EXPECT_EQ(read_file(folder.write("empty", "")), "");
  EXPECT_EQ(error_of([&] { read_file(folder.path() / "none"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { read_file(folder.path() / "a", 2); }).kind(), ErrorKind::invalid_input);
  const auto pipe = folder.path() / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { read_file(pipe); }).kind(), ErrorKind::invalid_input) << "must not wait for a writer";
}

TEST(MappedFile, MapsWhatIsThere) {
  const TemporaryFolder folder;
  const auto file = MappedFile::open(folder.write("a", "hello"));
  EXPECT_EQ(file->bytes().size(), 5U);
  EXPECT_EQ(static_cast<char>(file->bytes()[4]), 'o');
  EXPECT_TRUE(MappedFile::open(folder.write("empty", ""))->bytes().empty());
  EXPECT_EQ(error_of([&] { MappedFile::open(folder.path() / "none"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { MappedFile::open(folder.path()); }).kind(), ErrorKind::invalid_input);
}

TEST(MappedFile, KnowsWhetherItsPathStillLeadsToIt) {
  const TemporaryFolder folder;
  const auto path = folder.write("a", "old");
  const auto file = MappedFile::open(path);
  EXPECT_TRUE(file->is_at_path());
  std::filesystem::rename(folder.write("b", "new"), path);
  EXPECT_FALSE(file->is_at_path());
  std::filesystem::remove(path);
  EXPECT_FALSE(file->is_at_path());
}

TEST(MappedFile, ReleasedPagesAreNoLongerResidentAndCanBeReadAgain) {
  if (!kResidentSizeCounts) GTEST_SKIP() << kResidentSizeOff;
  const TemporaryFolder folder;
  constexpr std::size_t kSize = std::size_t{32} << 20;
  const auto file = MappedFile::open(folder.write("a", std::string(kSize, 'x')));
  const auto read_all = [&] {
    std::size_t sum = 0;
    for (const std::byte b : file->bytes()) sum += static_cast<std::size_t>(b);
    return sum;
  };
  const std::int64_t before = resident_memory().current;
  EXPECT_EQ(read_all(), kSize * 'x');
  const std::int64_t read = resident_memory().current;
  EXPECT_GT(read - before, static_cast<std::int64_t>(kSize / 2));
  file->release(file->bytes().subspan(100, kSize - 200));
  EXPECT_LT(resident_memory().current - before, static_cast<std::int64_t>(kSize / 4));
  file->release({});
  file->will_need(file->bytes());
  file->will_need({});
  EXPECT_EQ(read_all(), kSize * 'x');
}

TEST(AtomicFile, AppearsAtCommitAndNotBefore) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "out";
  AtomicFile file(path);
  file.write("hello ");
  file.write("world");
  file.rewrite(0, "HE");
  EXPECT_FALSE(fs::exists(path));
  file.commit();
  EXPECT_EQ(read_file(path), "HEllo world");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(AtomicFile, LeavesNothingBehindWithoutCommit) {
  const TemporaryFolder folder;
  const auto path = folder.write("out", "old");
  {
    AtomicFile file(path);
    file.write("new");
  }
  EXPECT_EQ(read_file(path), "old");
  EXPECT_EQ(folder.entries(), 1U);
}

TEST(AtomicFile, ReplacingKeepsThePermissionsAndANewFileHasTheUsualOnes) {
  const TemporaryFolder folder;
  const auto path = folder.write("out", "old");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  AtomicFile(path).commit();
  EXPECT_EQ(fs::status(path).permissions(), fs::perms::owner_read | fs::perms::owner_write);
  AtomicFile(folder.path() / "new").commit();
  const mode_t mask = umask(0);
  umask(mask);
  EXPECT_EQ(static_cast<mode_t>(fs::status(folder.path() / "new").permissions()), 0666 & ~mask);
}

TEST(AtomicFile, FollowsLinks) {
  const TemporaryFolder folder;
  const auto real = folder.write("sub/real", "old");
  fs::create_symlink("sub/real", folder.path() / "link");
  AtomicFile file(folder.path() / "link");
  file.write("new");
  file.commit();
  EXPECT_TRUE(fs::is_symlink(folder.path() / "link"));
  EXPECT_EQ(read_file(real), "new");
}

TEST(AtomicFile, TargetsThatCannotBeWrittenAreErrorsAtOnce) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { AtomicFile file(folder.path()); }).kind(), ErrorKind::invalid_input);
  const Error missing = error_of([&] { AtomicFile file(folder.path() / "no" / "out"); });
  EXPECT_EQ(missing.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(missing.what(), "folder is missing")) << missing.what();
  const auto file_as_folder = folder.write("file", "x") / "out";
  EXPECT_EQ(error_of([&] { AtomicFile file(file_as_folder); }).kind(), ErrorKind::invalid_input);
  // The one folder that even root cannot write to.
  const Error unwritable = error_of([] { AtomicFile file("/proc/out"); });
  EXPECT_EQ(unwritable.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(unwritable.where(), "/proc/out");
  EXPECT_EQ(error_of([] { AtomicFile file(""); }).kind(), ErrorKind::invalid_input);
}

TEST(AtomicFile, LongNamesHaveRoomForTheTemporaryOne) {
  const TemporaryFolder folder;
  const auto path = folder.path() / std::string(255, 'x');
  AtomicFile(path).commit();
  EXPECT_TRUE(fs::exists(path));
}

TEST(AtomicFile, DevicesAreWrittenToDirectly) {
  AtomicFile null("/dev/null");
  EXPECT_FALSE(null.can_rewrite());
  null.write("x");
  EXPECT_EQ(error_of([&] { null.rewrite(0, "y"); }).kind(), ErrorKind::internal);
  null.commit();
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
  AtomicFile full("/dev/full");
  const Error error = error_of([&] { full.write("x"); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(error.what(), "/dev/full")) << error.what();
}

// A redirected output goes on where it is: neither replaced nor begun anew, whatever it is.
TEST(AtomicFile, InheritedDescriptorsAreWrittenToDirectly) {
  const TemporaryFolder folder;
  const auto path = folder.write("redirected", "before ");
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND);
  int sockets[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets), 0);
  for (const int descriptor : {file, sockets[0]}) {
    AtomicFile out("/dev/fd/" + std::to_string(descriptor));
    EXPECT_FALSE(out.can_rewrite());
    out.write("after");
    out.commit();
  }
  ::close(file);
  EXPECT_EQ(read_file(path), "before after");
  char got[5];
  EXPECT_EQ(::read(sockets[1], got, sizeof got), 5);
  ::close(sockets[0]);
  ::close(sockets[1]);
  EXPECT_EQ(error_of([] { AtomicFile out("/dev/fd/12345"); }).kind(), ErrorKind::invalid_input);
}

}  // namespace
}  // namespace accelerate
