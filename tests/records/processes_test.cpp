// Several processes at one file, and processes that are killed: real ones.
#include <set>

#include "records/database_file.hpp"
#include "records/schema.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

constexpr std::size_t kIdLength = 36;
constexpr std::chrono::milliseconds kLong{60'000};

std::set<std::string> ids_in(const fs::path& path) {
  std::set<std::string> ids;
  for (const Record& record : Records(path, Access::read, kLong).list({})) ids.insert(record.id);
  return ids;
}

bool is_sound(const fs::path& path) {
  const Connection connection(path, Connection::Mode::write, kLong);
  Statement check = connection.prepare("PRAGMA integrity_check");
  return check.step() && check.text(0) == "ok";
}

// Adds records until it is killed, and says each id once add() returned it.
void add_for_ever(const fs::path& path, const Pipe& said) {
  Recorder recorder(
      path, [](const std::string& text) { std::fprintf(stderr, "%s\n", text.c_str()); }, kLong);
  LayerChoice choice{.measure = "m", .kept_in = "f32", .examined = 50};
  for (int i = 0; i < 50; ++i) choice.layers.push_back({"layer." + std::to_string(i), 0.5});
  while (true) {
    const std::string id = recorder.add(record_with(choice));
    if (id.empty()) _exit(4);
    said.put(id);
  }
}

TEST(Processes, SeveralMakeAndFillOneFileAtOnce) {
  const Folder folder;
  const fs::path path = folder.path() / "new/folder/r.sqlite";
  constexpr int kProcesses = 4, kEach = 25;
  const Pipe start;
  std::vector<pid_t> processes;
  for (int p = 0; p < kProcesses; ++p) {
    processes.push_back(start_process([&] {
      start.take(1);
      Records records(path, Access::write, kLong);
      for (int i = 0; i < kEach; ++i) records.add(record_with(measurement(i + 1), "p" + std::to_string(getpid())));
    }));
  }
  start.put(std::string(kProcesses, '!'));
  for (const pid_t process : processes) EXPECT_EQ(finished(process), 0);
  EXPECT_EQ(ids_in(path).size(), std::size_t{kProcesses * kEach});
  EXPECT_TRUE(is_sound(path));
  EXPECT_EQ(names_in(path.parent_path()), std::vector<std::string>{"r.sqlite"}) << "no log and no lock is left behind";
}

TEST(Processes, AKillLosesAtMostTheRecordThatWasBeingWritten) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  std::set<std::string> said;
  for (std::size_t round = 0; round < 12; ++round) {
    const std::size_t before = ids_in(path).size();
    Pipe pipe;
    const pid_t process = start_process([&] { add_for_ever(path, pipe); });
    pipe.close_writing();
    std::size_t finished_here = 0;
    const auto take = [&](std::size_t ids) {
      for (; ids > 0; --ids, ++finished_here) {
        const std::string id = pipe.take(kIdLength);
        if (id.size() < kIdLength) break;
        said.insert(id);
      }
    };
    // Killed wherever it is after so many records: another place in its work every round.
    take(1 + round % 4);
    usleep(static_cast<useconds_t>(round * 317));
    kill(process, SIGKILL);
    EXPECT_EQ(finished(process), 128 + SIGKILL);
    take(SIZE_MAX);

    ASSERT_TRUE(is_sound(path));
    const std::set<std::string> kept = ids_in(path);
    for (const std::string& id : said) ASSERT_TRUE(kept.count(id)) << "finished and lost: " << id;
    EXPECT_GE(kept.size(), before + finished_here);
    EXPECT_LE(kept.size(), before + finished_here + 1) << "only what was committed and not yet said is more";
  }
  EXPECT_GE(said.size(), 12U);
  // And it goes on.
  Records(path).add(record_with(measurement()));
}

TEST(Processes, TwoBenchesAndAKillLoseNothingOfTheOther) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  Pipe pipe;
  const pid_t killed = start_process([&] { add_for_ever(path, pipe); });
  pipe.close_writing();
  const pid_t steady = start_process([&] {
    Records records(path, Access::write, kLong);
    for (int i = 0; i < 30; ++i) records.add(record_with(measurement(i + 1), "steady"));
  });
  EXPECT_EQ(pipe.take(5 * kIdLength).size(), 5 * kIdLength);
  kill(killed, SIGKILL);
  EXPECT_EQ(finished(killed), 128 + SIGKILL);
  EXPECT_EQ(finished(steady), 0);
  Records records(path);
  EXPECT_EQ(records.list({.precision = "steady"}).size(), 30U);
  EXPECT_GE(records.list({.kind = Kind::layer_choice}).size(), 5U);
}

TEST(Processes, OfSeveralThatFindADamagedFileOneMovesIt) {
  const Folder folder;
  const fs::path path = folder.write("r.sqlite", std::string(20'000, 'x'));
  const Pipe start, notes;
  std::vector<pid_t> processes;
  for (int p = 0; p < 4; ++p) {
    processes.push_back(start_process([&] {
      start.take(1);
      Recorder recorder(
          path, [&](const std::string&) { notes.put("n"); }, kLong);
      for (int i = 0; i < 5; ++i) {
        if (recorder.add(record_with(measurement())).empty()) _exit(4);
      }
    }));
  }
  start.put("!!!!");
  for (const pid_t process : processes) EXPECT_EQ(finished(process), 0);
  EXPECT_EQ(notes.take(1), "n");
  EXPECT_EQ(ids_in(path).size(), 20U);
  ASSERT_EQ(folder.entries(), 2U) << testing::PrintToString(names_in(folder.path()));
  EXPECT_TRUE(contains(names_in(folder.path())[1], "r.sqlite.corrupt-")) << names_in(folder.path())[1];
}

// Who looks in while another one makes the file finds nothing or all of it.
TEST(Processes, AFileThatIsBeingMadeIsEmptyOrWhole) {
  constexpr int kFiles = 100;
  const Folder folder;
  const auto path = [&](int i) { return folder.path() / (std::to_string(i) + ".sqlite"); };
  const pid_t reader = start_process([&] {
    for (int i = 0; i < kFiles; ++i) {
      const Connection connection(path(i), Connection::Mode::create, kLong);
      while (schema_state(connection) == SchemaState::empty) continue;
    }
  });
  for (int i = 0; i < kFiles; ++i) open_for_writing(path(i), kLong);
  EXPECT_EQ(finished(reader), 0);
}

TEST(Processes, ThreadsOfOneProcessShareARecorder) {
  const Folder folder;
  Recorder recorder(folder.path() / "r.sqlite", [](const std::string& text) { ADD_FAILURE() << text; });
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) {
        EXPECT_FALSE(recorder.add(record_with(measurement(i + 1))).empty());
        EXPECT_TRUE(recorder.latest<Measurement>({.batch = i + 1}));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(recorder.list({}).size(), 40U);
}

}  // namespace
}  // namespace accelerate::records::test
