// `bench` as a user meets it: rows, records, wrong usage, and being stopped in the middle.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <set>
#include <thread>

#include "cli/process.hpp"
#include "core/json.hpp"
#include "core/thread_pool.hpp"
#include "records/records.hpp"

namespace accelerate::cli::test {
namespace {

namespace fs = std::filesystem;

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

class BenchCommandLine : public testing::Test {
 protected:
  Folder folder;
  fs::path database = folder / "records.sqlite";
  std::string model = fixture("bert").string();

  Call call(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {"bench", model});
    return Call{.arguments = std::move(arguments), .environment = {"ACCELERATE_RECORDS=" + database.string()}};
  }
  Finished bench(std::vector<std::string> arguments) const { return run_program(call(std::move(arguments))); }

  std::vector<records::Record> recorded() const {
    return records::Records(database, records::Access::read).list({.kind = records::Kind::measurement});
  }
  // Waits until the records hold so many measurements.
  bool wait_for_records(std::size_t count) const {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    while (std::chrono::steady_clock::now() < deadline) {
      if (fs::exists(database) && recorded().size() >= count) return true;
      std::this_thread::yield();
    }
    ADD_FAILURE() << "no " << count << " records came";
    return false;
  }
};

// Enough rows for a test to come in between.
const std::vector<std::string> kManyRows = {
    "--batch", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20", "--tokens", "8,16,24,32", "--seconds", "0.05",
    "--json"};

Json rows_of(const Finished& finished) { return Json::parse(finished.out, "stdout").at("rows"); }

std::set<std::string> ids_of(const Json& rows) {
  std::set<std::string> ids;
  for (const Json& row : rows.items()) {
    if (row.at("state").as_string() == "measured") ids.insert(row.at("record").as_string());
  }
  return ids;
}

TEST_F(BenchCommandLine, EveryCombinationIsARowWithConsistentFigures) {
  const Finished done = bench({"--batch", "1,4", "--tokens", "8,16", "--threads", "1", "--seconds", "0.05", "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  const Json rows = rows_of(done);
  ASSERT_EQ(rows.items().size(), 4U);
  for (const Json& row : rows.items()) {
    EXPECT_EQ(row.at("model").as_string(), model);
    EXPECT_EQ(row.at("device").as_string(), "cpu");
    EXPECT_EQ(row.at("threads").as_int(), 1);
    const double p50 = row.at("p50_ms").as_double();
    EXPECT_GT(p50, 0);
    EXPECT_LE(p50, row.at("p90_ms").as_double());
    EXPECT_NEAR(row.at("throughput_per_s").as_double() * p50 / 1e3, row.at("batch").as_double(), 1e-6);
    EXPECT_GT(row.at("load_ms").as_double(), 0);
    EXPECT_GT(row.at("share_of_limit").as_double(), 0);
    EXPECT_LT(row.at("share_of_limit").as_double(), 1.5);
    EXPECT_GT(row.at("peak_bytes").as_int(), 0);
    EXPECT_GT(row.at("predicted_bytes").as_int(), 0);
  }
  EXPECT_EQ(recorded().size(), 4U);
  const Finished table = bench({"--seconds", "0.05", "--no-record"});
  EXPECT_EQ(table.code, 0);
  EXPECT_TRUE(contains(table.out, "of limit")) << table.out;
  EXPECT_EQ(recorded().size(), 4U);
}

TEST_F(BenchCommandLine, WhatIsWrongIsNamed) {
  const auto expect = [this](std::vector<std::string> arguments, int code, const std::string& words) {
    const Finished wrong = bench(std::move(arguments));
    EXPECT_EQ(wrong.code, code) << words;
    EXPECT_TRUE(contains(wrong.err, words)) << wrong.err;
    EXPECT_EQ(wrong.out, "") << words;
  };
  expect({"--batch", "0"}, 2, "--batch: found \"0\", expected a whole number from 1 to 1048576");
  expect({"--batch", "1,-2"}, 2, "--batch: found \"-2\"");
  expect({"--batch", "99999999"}, 2, "--batch: found \"99999999\"");
  expect({"--tokens", "0"}, 2, "--tokens: found \"0\"");
  expect({"--tokens", "129"}, 3, "tokens: is 129, expected 1 to 128");
  expect({"--threads", "0"}, 2, "--threads: found \"0\"");
  expect({"--threads", "1025"}, 2, "--threads: found \"1025\"");
  expect({"--precision", "f33"}, 2, "--precision: no precision \"f33\"; there are f32");
  expect({"--precision", "f32,"}, 2, "--precision: found \"f32,\"");
  expect({"--seconds", "0"}, 2, "--seconds: found \"0\"");
  expect({"--seconds", "nan"}, 2, "--seconds: found \"nan\"");
  expect({"--max-latency", "5"}, 2, "--max-latency needs --batch auto");
  expect({"--batch", "auto", "--max-latency", "5", "--max-memory", "5"}, 2, "one of the two");
  expect({"--batch", "auto", "--profile"}, 2, "--profile is of one batch size");
  expect({"--input", "-", "--tokens", "5"}, 2, "--input is given, and --batch or --tokens too");
  expect({"--input", (folder / "missing.txt").string()}, 4, "missing.txt");
  expect({"--profile", "trace.json"}, 2, "--profile=...");
  expect({"--profile=" + (folder / "missing" / "trace.json").string()}, 3, "missing/trace.json");
  expect({"--task", "fill-mask"}, 6, "does not do fill-mask");
  EXPECT_FALSE(fs::exists(database));
}

TEST_F(BenchCommandLine, ARowSaysWhatIsMissingAndTheCodeTooWhereNothingRan) {
  const Finished both = bench({"--precision", "int4,f32", "--seconds", "0.05"});
  EXPECT_EQ(both.code, 0);
  EXPECT_TRUE(contains(both.out, "unsupported: ")) << both.out;
  EXPECT_EQ(bench({"--precision", "int4"}).code, 6);
  // A model that takes 100000 tokens: a million such texts are more than any machine has.
  const fs::path large_model = copy_of("modernbert", folder);
  std::string config = read(large_model / "config.json");
  const std::string length = "\"max_position_embeddings\": ";
  const std::size_t at = config.find(length) + length.size();
  config.replace(at, config.find_first_not_of("0123456789", at) - at, "100000");
  write(large_model / "config.json", config);
  const Finished large =
      run_program({"bench", large_model.string(), "--no-record", "--batch", "1048576", "--tokens", "100000"});
  EXPECT_EQ(large.code, 7);
  EXPECT_TRUE(contains(large.out, "refused: would take ")) << large.out;
  EXPECT_TRUE(contains(large.out, " are available")) << large.out;
}

TEST_F(BenchCommandLine, MoreThreadsThanAllowedAreLimitedWithANote) {
  const Finished done = bench({"--threads", "1024", "--seconds", "0.05", "--json"});
  EXPECT_EQ(done.code, 0);
  EXPECT_TRUE(contains(done.err, "note: 1024 threads were asked for, this process may use ")) << done.err;
  EXPECT_EQ(rows_of(done).items()[0].at("threads").as_int(), cpu_allowance().usable);
}

TEST_F(BenchCommandLine, TextsFromAFile) {
  write(folder / "lines.txt", "let there be light\nand\n");
  const Finished done = bench({"--input", (folder / "lines.txt").string(), "--seconds", "0.05", "--json"});
  EXPECT_EQ(done.code, 0) << done.err;
  const Json row = rows_of(done).items()[0];
  EXPECT_EQ(row.at("workload").as_string(), "texts");
  EXPECT_EQ(row.at("batch").as_int(), 2);
  EXPECT_LT(row.at("rows").as_int(), 2 * row.at("tokens").as_int());
}

TEST_F(BenchCommandLine, TheProfileIsATableAndAFile) {
  const std::string trace = (folder / "trace.json").string();
  const Finished done = bench({"--precision", "f32", "--profile=" + trace, "--seconds", "0.05"});
  EXPECT_EQ(done.code, 0) << done.err;
  for (const char* word : {"Profile of f32, 1 x 128", "linear", "attention", "encoder.layer.1"}) {
    EXPECT_TRUE(contains(done.out, word)) << word << "\n" << done.out;
  }
  const Json json = Json::parse(read(trace), trace);
  EXPECT_GT(json.at("traceEvents").items().size(), 10U);
  const Finished without = bench({"--seconds", "0.05"});
  EXPECT_FALSE(contains(without.out, "Profile"));
}

TEST_F(BenchCommandLine, TheBestBatchIsKeptAndRunTakesIt) {
  const Finished found = bench({"--batch", "auto", "--tokens", "16", "--seconds", "0.1", "--json"});
  ASSERT_EQ(found.code, 0) << found.err;
  std::int64_t best = 0;
  const Json rows = rows_of(found);
  for (const Json& row : rows.items()) {
    if (row.at("chosen").as_bool()) best = row.at("batch").as_int();
  }
  ASSERT_GT(best, 0);
  const auto run = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", model, "some words", "-v"});
    return run_program(Call{.arguments = more, .environment = {"ACCELERATE_RECORDS=" + database.string()}});
  };
  const Finished taken = run({"--batch", "auto"});
  EXPECT_EQ(taken.code, 0) << taken.err;
  EXPECT_TRUE(contains(taken.err, "at most " + std::to_string(best * 16) + " tokens a run: " + std::to_string(best) +
                                      " x 16, found by bench"))
      << taken.err;
  EXPECT_FALSE(contains(run({}).err, "tokens a run"));
  std::string lines;
  for (int i = 0; i < 64; ++i) lines += "let there be light\n";
  write(folder / "lines.txt", lines);
  const auto run_many = [this](std::vector<std::string> more) {
    more.insert(more.begin(), {"run", model, "--input", (folder / "lines.txt").string(), "-v"});
    return run_program(Call{.arguments = more, .environment = {"ACCELERATE_RECORDS=" + database.string()}}).err;
  };
  EXPECT_TRUE(contains(run_many({}), "tokens a run"));
  EXPECT_FALSE(contains(run_many({"--batch", "default"}), "tokens a run"));
  EXPECT_TRUE(contains(run({"--batch", "auto", "--threads", "1024"}).err, "note: no batch size is recorded"));
}

TEST_F(BenchCommandLine, TwoAtOnceLoseNothingEvenWhenOneIsKilled) {
  Finished other;
  std::thread second([&] {
    other = bench({"--batch", "1,2,3,4,5,6", "--tokens", "16", "--seconds", "0.05", "--json"});
  });
  Call killed = call(kManyRows);
  killed.arguments.push_back("-v");  // a line on stderr for each row that is finished
  killed.started = [this](int process) {
    wait_for_records(9);
    ::kill(process, SIGKILL);
  };
  const Finished first = run_program(killed);
  second.join();
  EXPECT_EQ(first.code, 128 + SIGKILL);
  EXPECT_EQ(other.code, 0) << other.err;
  const Json rows = rows_of(other);
  const std::set<std::string> ids = ids_of(rows);
  EXPECT_EQ(ids.size(), 6U);
  std::size_t of_killed = 0, of_other = 0;
  for (const records::Record& record : recorded()) {
    EXPECT_NO_THROW(records::validate(record));
    (ids.contains(record.id) ? of_other : of_killed) += 1;
  }
  EXPECT_EQ(of_other, 6U);
  std::size_t told = 0;
  for (std::size_t at = first.err.find("texts/s"); at != std::string::npos; at = first.err.find("texts/s", at + 1))
    ++told;
  EXPECT_GE(of_killed, told);
  EXPECT_LE(of_killed, told + 1);
  EXPECT_GE(of_killed, 3U);
}

class BenchStopped : public BenchCommandLine, public testing::WithParamInterface<int> {};

TEST_P(BenchStopped, KeepsAndPrintsWhatWasMeasured) {
  Call stopped = call(kManyRows);
  stopped.started = [this](int process) {
    wait_for_records(3);
    ::kill(process, GetParam());
  };
  const Finished finished = run_program(stopped);
  EXPECT_EQ(finished.code, 128 + GetParam());
  EXPECT_TRUE(contains(finished.err, "error: stopped by a signal")) << finished.err;
  const Json json = Json::parse(finished.out, "stdout");
  EXPECT_TRUE(json.at("interrupted").as_bool());
  const Json& rows = json.at("rows");
  EXPECT_EQ(rows.items().size(), 80U);
  EXPECT_EQ(rows.items().back().at("state").as_string(), "untested");
  std::set<std::string> kept;
  for (const records::Record& record : recorded()) kept.insert(record.id);
  EXPECT_GE(kept.size(), 3U);
  EXPECT_EQ(ids_of(rows), kept);
}

INSTANTIATE_TEST_SUITE_P(Signals, BenchStopped, testing::Values(SIGINT, SIGTERM));

TEST_F(BenchCommandLine, TheAnswerComesWithoutADatabaseAndTheLossIsSaid) {
  const auto expect_said = [this](const char* what, const std::string& words) {
    const Finished done = bench({"--seconds", "0.05", "--json"});
    EXPECT_EQ(done.code, 0) << what << done.err;
    EXPECT_EQ(rows_of(done).items()[0].at("state").as_string(), "measured") << what;
    EXPECT_TRUE(contains(done.err, words)) << what << ": " << done.err;
  };
  fs::create_directory(database);
  expect_said("a folder", "note: not recorded: ");
  fs::remove(database);
  write(database, "this is no database, but it is long enough to look like a file of some kind");
  expect_said("a damaged file", "a new one was begun");
  EXPECT_EQ(recorded().size(), 1U);
}

// Text generation has rows of two kinds, kept apart among the records.
TEST_F(BenchCommandLine, PromptsAndLaterTokensAreRowsOfTheirOwn) {
  model = (fs::path(ACCELERATE_TESTS_DIR) / "goldens/decoders/qwen2").string();
  const Finished done = bench({"--tokens", "8", "--batch", "2", "--threads", "1", "--seconds", "0.05", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const Json rows = rows_of(done);
  ASSERT_EQ(rows.items().size(), 2U);
  EXPECT_EQ(rows.items()[0].at("phase").as_string(), "prefill");
  EXPECT_EQ(rows.items()[1].at("phase").as_string(), "decode");
  EXPECT_NEAR(rows.items()[0].at("throughput_per_s").as_double() * rows.items()[0].at("p50_ms").as_double(), 16e3, 1);
  EXPECT_NEAR(rows.items()[1].at("throughput_per_s").as_double() * rows.items()[1].at("p50_ms").as_double(), 2e3, 1);
  std::set<std::string> workloads;
  for (const records::Record& record : recorded()) {
    workloads.insert(std::get<records::Measurement>(record.content).workload);
  }
  EXPECT_EQ(workloads, (std::set<std::string>{"decode", "prefill"}));

  const Finished table = bench({"--tokens", "8", "--phase", "decode", "--seconds", "0.05", "--no-record"});
  EXPECT_EQ(table.code, 0) << table.err;
  EXPECT_TRUE(contains(table.out, "tokens/s")) << table.out;
  EXPECT_TRUE(contains(table.out, "decode")) << table.out;
  EXPECT_FALSE(contains(table.out, "prefill")) << table.out;
  const Finished wrong = bench({"--phase", "warm-up"});
  EXPECT_EQ(wrong.code, 2);
  EXPECT_TRUE(contains(wrong.err, "found \"warm-up\"")) << wrong.err;
}

}  // namespace
}  // namespace accelerate::cli::test
