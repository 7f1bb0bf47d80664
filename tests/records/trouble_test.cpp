// Locked, read-only, full, damaged, newer: the answer is given all the same, and the loss is said.
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "records/database_file.hpp"
#include "records/schema.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

using namespace std::chrono_literals;

// A recorder and all that it told.
struct Told {
  std::vector<std::string> notes;
  Recorder recorder;
  explicit Told(const fs::path& path, std::chrono::milliseconds patience = 100ms)
      : recorder(
            path, [this](const std::string& text) { notes.push_back(text); }, patience) {}
};

// Connection for a test to put something odd into a file.
Connection connect(const fs::path& path) { return {path, Connection::Mode::create, 1000ms}; }

std::size_t count_in(const fs::path& path) { return Records(path, Access::read).list({}).size(); }

// Root may write anywhere, so what is about rights runs as nobody.
void become_nobody() {
  if (geteuid() != 0) return;
  if (setgroups(0, nullptr) != 0 || setgid(65534) != 0 || setuid(65534) != 0) _exit(5);
}

TEST(Trouble, ALockedFileLosesTheRecordAndSaysSo) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  const Pipe locked, release;
  const pid_t other = start_process([&] {
    const Connection connection(path, Connection::Mode::write, 1000ms);
    const Transaction transaction(connection);
    locked.put("!");
    release.take(1);
  });
  locked.take(1);

  const Error error = error_of([&] { Records(path, Access::write, 50ms).add(record_with(measurement())); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_EQ(error.message(), "is locked by another process");
  EXPECT_EQ(error.where(), path.string());

  Told told(path);
  EXPECT_EQ(told.recorder.add(record_with(measurement())), "");
  EXPECT_EQ(told.recorder.add(record_with(measurement())), "");
  EXPECT_EQ(told.recorder.lost(), 2U);
  ASSERT_EQ(told.notes.size(), 1U) << "the same loss is told once";
  EXPECT_EQ(told.notes[0], "not recorded: " + path.string() + ": is locked by another process");
  EXPECT_TRUE(told.recorder.latest({})) << "reading needs no lock";

  release.put("!");
  EXPECT_EQ(finished(other), 0);
  EXPECT_NE(told.recorder.add(record_with(measurement())), "") << "once the lock is gone it records again";
}

TEST(Trouble, AFirstWaitInVainMakesTheNextOnesShort) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  const Connection connection = connect(path);
  const Transaction transaction(connection);
  Told told(path, 1000ms);
  const auto began = std::chrono::steady_clock::now();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(told.recorder.add(record_with(measurement())), "");
  EXPECT_LT(std::chrono::steady_clock::now() - began, 4000ms) << "five times a second would be longer";
}

TEST(Trouble, AReadOnlyFolderIsReadAndNotWritten) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  ASSERT_EQ(chmod(path.c_str(), 0444), 0);
  ASSERT_EQ(chmod(folder.path().c_str(), 0555), 0);
  const Pipe said;
  const pid_t process = start_process([&] {
    become_nobody();
    if (count_in(path) != 1) throw Error(ErrorKind::internal, "it cannot be read");
    Told told(path);
    if (!told.recorder.latest({})) throw Error(ErrorKind::internal, "the recorder cannot read it");
    if (!told.recorder.add(record_with(measurement())).empty()) throw Error(ErrorKind::internal, "it was written");
    if (told.notes.size() != 1) throw Error(ErrorKind::internal, "the loss was not told");
    said.put(told.notes[0] + "\n");
  });
  EXPECT_EQ(finished(process), 0);
  chmod(folder.path().c_str(), 0755);
  said.put("|");
  std::string text;
  for (std::string c = said.take(1); c != "\n" && c != "|"; c = said.take(1)) text += c;
  EXPECT_EQ(text, "not recorded: " + path.string() + ": cannot be written: it or its folder is read-only");
  EXPECT_EQ(count_in(path), 1U);
}

TEST(Trouble, AFolderThatCannotBeMadeIsNamed) {
  const Folder folder;
  folder.write("file", "");
  const Error error = error_of([&] { Records records(folder.path() / "file/r.sqlite"); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.message(), "its folder cannot be made: Not a directory")) << error.message();
}

// What a full disk does, by the limit on the length of files: a write ends in an error instead of a signal.
TEST(Trouble, AFullDiskKeepsWhatWasFinished) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Pipe said;
  const pid_t process = start_process([&] {
    std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{.rlim_cur = 400'000, .rlim_max = 400'000};
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) _exit(5);
    Told told(path);
    LayerChoice large{.measure = "m", .kept_in = "f32"};
    for (int i = 0; i < 200; ++i) large.layers.push_back({std::string(100, 'p') + std::to_string(i), 1});
    int kept = 0;
    for (std::string id = "first"; !id.empty() && kept < 1000; ++kept) {
      id = told.recorder.add(record_with(large));
      if (!id.empty()) said.put(id);
    }
    if (told.notes.size() != 1 || !contains(told.notes[0], "cannot be")) {
      throw Error(ErrorKind::internal, told.notes.empty() ? "nothing was told" : told.notes[0]);
    }
  });
  EXPECT_EQ(finished(process), 0);
  said.close_writing();
  std::size_t kept = 0;
  Records records(path);
  for (std::string id = said.take(36); !id.empty(); id = said.take(36), ++kept) {
    EXPECT_EQ(records.find(id).id, id) << "finished and lost";
  }
  EXPECT_GE(kept, 3U);
  EXPECT_TRUE(records.take_notes().empty()) << "a full disk is no damage";
  EXPECT_EQ(records.list({}).size(), kept);
}

TEST(Trouble, ADamagedFileIsMovedAsideNeverDeleted) {
  const Folder folder;
  const std::string garbage = "no database, but somebody's only copy of it" + std::string(5000, '#');
  const fs::path path = folder.write("r.sqlite", garbage);
  EXPECT_EQ(error_of([&] { Records records(path, Access::read); }).kind(), ErrorKind::corrupted);
  EXPECT_EQ(read(path), garbage) << "reading moves nothing";

  Told told(path);
  EXPECT_FALSE(told.recorder.latest({}));
  EXPECT_NE(told.recorder.add(record_with(measurement())), "");
  EXPECT_EQ(count_in(path), 1U);
  const std::vector<std::string> names = names_in(folder.path());
  const auto aside = std::find_if(names.begin(), names.end(),
                                  [](const std::string& name) { return name.starts_with("r.sqlite.corrupt-"); });
  ASSERT_NE(aside, names.end());
  EXPECT_EQ(aside->size(), std::string("r.sqlite.corrupt-20261123-180208").size());
  EXPECT_EQ(read(folder.path() / *aside), garbage);
  ASSERT_EQ(told.notes.size(), 2U);
  EXPECT_TRUE(contains(told.notes[0], "records cannot be read: ")) << told.notes[0];
  EXPECT_TRUE(contains(told.notes[1], "was damaged: it lies now in ")) << told.notes[1];
  EXPECT_TRUE(contains(told.notes[1], *aside)) << told.notes[1];
}

TEST(Trouble, DamageInTheMiddleIsFoundWhenItIsMet) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  {
    Records records(path);
    for (int i = 0; i < 40; ++i) records.add(record_with(measurement(i + 1)));
  }
  std::string bytes = read(path);
  ASSERT_GT(bytes.size(), 60'000U);
  std::fill(bytes.begin() + 5000, bytes.end(), '\x5a');
  folder.write("r.sqlite", bytes);
  Told told(path);
  EXPECT_NE(told.recorder.add(record_with(measurement())), "");
  EXPECT_EQ(count_in(path), 1U);
  ASSERT_EQ(told.notes.size(), 1U);
  EXPECT_TRUE(contains(told.notes[0], "was damaged")) << told.notes[0];
}

TEST(Trouble, ACutFileIsDamaged) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  const std::string whole = read(path);
  for (const std::size_t size : {std::size_t{50}, std::size_t{4096}, whole.size() / 2}) {
    folder.write("r.sqlite", whole.substr(0, size));
    Told told(path);
    EXPECT_NE(told.recorder.add(record_with(measurement())), "") << size;
    EXPECT_EQ(count_in(path), 1U) << size;
    EXPECT_EQ(told.notes.size(), 1U) << size;
  }
}

TEST(Trouble, WhatAKilledProcessLeftInItsLogCounts) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  const pid_t process = start_process([&] {
    Records records(path);
    records.add(record_with(measurement()));
    kill(getpid(), SIGKILL);
  });
  EXPECT_EQ(finished(process), 128 + SIGKILL);
  ASSERT_TRUE(fs::exists(path.string() + "-wal"));
  // Everything stands in the log still, so that even a damaged file is made whole from it.
  folder.write("r.sqlite", std::string(8192, '#'));
  Records records(path);
  EXPECT_TRUE(records.take_notes().empty());
  EXPECT_EQ(records.list({}).size(), 1U);
}

TEST(Trouble, ADamagedLogIsNotTakenOver) {
  const Folder folder;
  const fs::path path = folder.write("r.sqlite", std::string(8192, '#'));
  folder.write("r.sqlite-wal", std::string(8192, '#'));
  Records records(path);
  EXPECT_EQ(records.take_notes().size(), 1U);
  records.add(record_with(measurement()));
  EXPECT_EQ(count_in(path), 1U);
}

TEST(Trouble, AnEmptyFileIsANewOne) {
  const Folder folder;
  const fs::path path = folder.write("r.sqlite", "");
  EXPECT_EQ(count_in(path), 0U);
  Records records(path);
  records.add(record_with(measurement()));
  EXPECT_TRUE(records.take_notes().empty());
  EXPECT_EQ(count_in(path), 1U);
}

TEST(Trouble, ANewerSchemaIsRefusedAndLeftAlone) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  connect(path).execute("PRAGMA user_version = 99");
  const std::string before = read(path);
  for (const Access access : {Access::read, Access::write}) {
    const Error error = error_of([&] { Records records(path, access); });
    EXPECT_EQ(error.kind(), ErrorKind::unsupported);
    EXPECT_EQ(error.message(),
              "has schema version 99, this build knows versions up to " + std::to_string(migrations().size()));
  }
  Told told(path);
  EXPECT_EQ(told.recorder.add(record_with(measurement())), "");
  ASSERT_EQ(told.notes.size(), 1U);
  EXPECT_TRUE(contains(told.notes[0], "not recorded: ") && contains(told.notes[0], "schema version 99"));
  EXPECT_EQ(read(path), before);
}

TEST(Trouble, AnotherProgramsDatabaseIsLeftAlone) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  connect(path).execute("CREATE TABLE song (title TEXT); INSERT INTO song VALUES ('one')");
  const Error error = error_of([&] { Records records(path); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(), "is a database of another program");
  EXPECT_EQ(connect(path).integer("SELECT count(*) FROM song"), 1);
}

TEST(Trouble, AFileWithoutItsTablesIsDamaged) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records(path).add(record_with(measurement()));
  connect(path).execute("DROP TABLE measurement");
  EXPECT_EQ(error_of([&] { count_in(path); }).kind(), ErrorKind::corrupted);
  // A version that no step leads to.
  const fs::path odd = folder.path() / "odd.sqlite";
  Records(odd).add(record_with(measurement()));
  connect(odd).execute("PRAGMA user_version = -3");
  EXPECT_EQ(error_of([&] { count_in(odd); }).kind(), ErrorKind::corrupted);
}

TEST(Trouble, WhatIsNoFileIsRefused) {
  const Folder folder;
  EXPECT_EQ(error_of([&] { Records records(folder.path()); }).message(), "is a folder, expected a file");
  EXPECT_EQ(error_of([&] { Records records("/dev/null"); }).message(), "is not a file");
  EXPECT_EQ(error_of([&] { Records records(folder.path(), Access::read); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { Records records(fs::path{}); }).kind(), ErrorKind::invalid_input);
}

TEST(Trouble, AFileThatIsTakenAwayIsBegunAnew) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Records records(path);
  records.add(record_with(measurement()));
  for (const std::string& name : names_in(folder.path())) fs::remove(folder.path() / name);
  records.add(record_with(measurement()));
  EXPECT_EQ(count_in(path), 1U);
}

TEST(Trouble, ASinkThatThrowsHurtsNobody) {
  const Folder folder;
  folder.write("file", "");
  Recorder recorder(folder.path() / "file/r.sqlite", [](const std::string&) { throw std::runtime_error("sink"); });
  EXPECT_EQ(recorder.add(record_with(measurement())), "");
  EXPECT_EQ(recorder.lost(), 1U);
}

TEST(Trouble, ARecordThatIsWrongIsALossToo) {
  const Folder folder;
  Told told(folder.path() / "r.sqlite");
  EXPECT_EQ(told.recorder.add(record_with(measurement(0))), "");
  ASSERT_EQ(told.notes.size(), 1U);
  EXPECT_EQ(told.notes[0], "not recorded: field content.batch: is 0, expected at least 1");
}

}  // namespace
}  // namespace accelerate::records::test
