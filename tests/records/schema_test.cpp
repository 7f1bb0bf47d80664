// Numbered steps from any older file to this build's schema.
#include "records/schema.hpp"

#include <array>

#include "records/database_file.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

constexpr std::chrono::milliseconds kPatient{10'000};

// A short history of a made-up database.
constexpr std::array<Migration, 3> kHistory = {
    "CREATE TABLE thing (name TEXT NOT NULL) STRICT;",
    "ALTER TABLE thing ADD COLUMN size INTEGER NOT NULL DEFAULT 7;",
    "CREATE TABLE other (thing TEXT NOT NULL) STRICT; INSERT INTO other SELECT name FROM thing;",
};
std::span<const Migration> first(std::size_t steps) { return std::span(kHistory).first(steps); }

Connection connect(const fs::path& path) { return {path, Connection::Mode::create, kPatient}; }

TEST(Schema, AnOldFileTakesTheStepsThatItLacks) {
  const Folder folder;
  for (std::size_t old = 1; old <= kHistory.size(); ++old) {
    const Connection connection = connect(folder.path() / (std::to_string(old) + ".sqlite"));
    EXPECT_EQ(schema_state(connection, kHistory), SchemaState::empty);
    migrate(connection, first(old));
    connection.execute("INSERT INTO thing (name) VALUES ('kept')");
    EXPECT_EQ(schema_state(connection, kHistory), old < 3 ? SchemaState::older : SchemaState::current);
    migrate(connection, kHistory);
    EXPECT_EQ(schema_state(connection, kHistory), SchemaState::current);
    EXPECT_EQ(connection.integer("SELECT count(*) FROM thing WHERE name = 'kept' AND size = 7"), 1);
    EXPECT_EQ(connection.integer("SELECT count(*) FROM other"), old < 3 ? 1 : 0);
    migrate(connection, kHistory);  // nothing is left to do
    EXPECT_EQ(connection.integer("PRAGMA user_version"), 3);
  }
}

TEST(Schema, AStepThatFailsLeavesTheFileAsItWas) {
  const Folder folder;
  const Connection connection = connect(folder.path() / "r.sqlite");
  migrate(connection, first(1));
  constexpr std::array<Migration, 2> kBroken = {kHistory[0],
                                                "CREATE TABLE half (name TEXT); INSERT INTO nowhere VALUES (1);"};
  EXPECT_EQ(error_of([&] { migrate(connection, kBroken); }).kind(), ErrorKind::corrupted);
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 1);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE name = 'half'"), 0);
  EXPECT_FALSE(connection.in_transaction());
}

TEST(Schema, ANewerFileIsRefusedWithBothVersions) {
  const Folder folder;
  const Connection connection = connect(folder.path() / "r.sqlite");
  migrate(connection, kHistory);
  const Error error = error_of([&] { migrate(connection, first(2)); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(), "has schema version 3, this build knows versions up to 2");
  EXPECT_FALSE(error.hint().empty());
}

TEST(Schema, ProcessesThatMigrateAtOnceTakeEachStepOnce) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  {
    const Connection connection = connect(path);
    connection.execute("PRAGMA journal_mode = WAL");
    migrate(connection, first(1));
    connection.execute("INSERT INTO thing (name) VALUES ('one')");
  }
  const Pipe start;
  std::vector<pid_t> processes;
  for (int p = 0; p < 4; ++p) {
    processes.push_back(start_process([&] {
      start.take(1);
      migrate(connect(path), kHistory);
    }));
  }
  start.put("!!!!");
  for (const pid_t process : processes) EXPECT_EQ(finished(process), 0);
  const Connection connection = connect(path);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM other"), 1);
  EXPECT_EQ(connection.integer("PRAGMA user_version"), 3);
}

TEST(Schema, TheFirstStepsOfThisBuildMakeEveryTable) {
  const Folder folder;
  const Connection connection = connect(folder.path() / "r.sqlite");
  migrate(connection);
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE '%STRICT%'"),
            0)
      << "a table that takes text for numbers";
  EXPECT_EQ(connection.integer("SELECT count(*) FROM sqlite_schema WHERE type = 'table'"), 12);
  EXPECT_EQ(connection.integer("PRAGMA application_id"), kApplication);
}

TEST(Schema, AFileOfTheFirstReleaseTakesErrorsToo) {
  const Folder folder;
  const fs::path path = folder.path() / "r.sqlite";
  {
    const Connection connection = connect(path);
    migrate(connection, migrations().first(1));
  }
  Records records(path);
  records.add(CompatibilityError{.hardware = "cuda:0", .kind = "crashed", .severity = "error", .component = "probe"});
  EXPECT_EQ(records.compatibility_errors().size(), 1U);
}

}  // namespace
}  // namespace accelerate::records::test
