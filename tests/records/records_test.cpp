// What is put in comes out again, and questions find what they ask for.
#include "records/records.hpp"

#include "records/load.hpp"
#include "records/record_json.hpp"
#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

using namespace std::chrono_literals;

std::vector<std::string> ids(const std::vector<Record>& records) {
  std::vector<std::string> found;
  for (const Record& record : records) found.push_back(record.id);
  return found;
}

Measurement full_measurement() {
  Measurement m = measurement(8, 20.5);
  m.load_average = 0.5;
  m.other_cpus_busy = 0.01;
  m.load_ms = 33.25;
  m.first_ms = 44.125;
  m.peak_bytes = std::int64_t{1} << 40;
  m.predicted_bytes = 12345;
  m.resident_bytes = 23456;
  m.flops = std::int64_t{1} << 52;
  m.share_of_limit = 0.91;
  m.limit_gflops = 117.5;
  m.limit_gbytes = 22.25;
  return m;
}

Agreement full_agreement() {
  Agreement a = agreement();
  a.worst_kl_divergence = 1e-4;
  a.mean_kl_divergence = 1e-5;
  a.top1 = 0.99;
  a.bound = {.cosine = 0.999, .kl_divergence = 0.01, .top1 = 0.98};
  a.layer_choice = "3f0c9a52-0000-4000-8000-000000000001";
  return a;
}

TEST(Records, EveryKindComesBackAsItWasGiven) {
  const Folder folder;
  const std::vector<Content> contents = {
      full_measurement(), full_agreement(),
      LayerChoice{.measure = "1 - cosine", .kept_in = "f32", .layers = {{"b", 0.5}, {"a", -1e-9}}, .examined = 12},
      BatchChoice{.tokens = 128,
                  .threads = 2,
                  .bound = "latency_ms",
                  .bound_value = 50,
                  .batch = 16,
                  .throughput_per_s = 320.5,
                  .p50_ms = 49.5,
                  .peak_bytes = 5000}};
  for (const Content& content : contents) {
    Records records(folder.path() / "r.sqlite");
    Record given = record_with(content, "int8");
    given.id = records.add(given);
    // From the file, by another connection.
    const Record found = Records(folder.path() / "r.sqlite", Access::read).find(given.id);
    given.time_ms = found.time_ms;
    given.machine = this_machine();
    given.code = this_code();
    EXPECT_EQ(to_json(found).dump(2), to_json(given).dump(2));
    EXPECT_GT(found.time_ms, 1'700'000'000'000);
  }
  EXPECT_EQ(Records(folder.path() / "r.sqlite").list({}).size(), contents.size());
}

TEST(Records, AFigureThatWasNotTakenStaysAbsent) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  records.add(record_with(Measurement{.workload = "w", .batch = 1, .tokens = 1, .rows = 1, .threads = 1}));
  const auto found = records.latest<Measurement>({});
  ASSERT_TRUE(found);
  EXPECT_FALSE(found->content().p50_ms);
  EXPECT_FALSE(found->content().peak_bytes);
  EXPECT_EQ(found->content().samples, 0);
}

TEST(Records, TheNewestComesFirstAndLimitsHold) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  std::vector<std::string> added;
  for (std::int64_t i = 0; i < 5; ++i) {
    Record record = record_with(measurement(i + 1));
    record.time_ms = 1000 + i / 2;  // of one time: the one that was added later is the newer
    added.push_back(records.add(record));
  }
  std::reverse(added.begin(), added.end());
  EXPECT_EQ(ids(records.list({})), added);
  EXPECT_EQ(ids(records.list({.limit = 2})), std::vector<std::string>(added.begin(), added.begin() + 2));
  EXPECT_EQ(records.latest({})->id, added[0]);
  EXPECT_EQ(records.list({.since_ms = 1001}).size(), 3U);
}

TEST(Records, EachFilterNarrows) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  records.add(record_with(measurement(1), "f32", 'a'));
  records.add(record_with(measurement(8), "int8", 'a'));
  records.add(record_with(agreement(), "int8", 'a'));
  Record other = record_with(measurement(1), "f32", 'b');
  other.device = {.name = "onnx:cuda:0"};
  other.model.path = "/models/other";
  other.code = {.version = "0.0.9", .build = "0.0.9 (abcdef12; compiler)"};
  other.machine = {.id = "0123456789abcdef"};
  std::get<Measurement>(other.content).workload = "32 sentences";
  records.add(other);

  const auto count = [&](const Filter& filter) { return records.list(filter).size(); };
  EXPECT_EQ(count({}), 4U);
  EXPECT_EQ(count({.kind = Kind::measurement}), 3U);
  EXPECT_EQ(count({.model = hash_of('a')}), 3U);
  EXPECT_EQ(count({.model = "bbbbbb"}), 1U);
  EXPECT_EQ(count({.model = "bbbbb"}), 0U) << "five digits may be a name";
  EXPECT_EQ(count({.model = "/models/other/"}), 1U);
  EXPECT_EQ(count({.model = "other"}), 1U);
  EXPECT_EQ(count({.model = "ther"}), 0U);
  EXPECT_EQ(count({.device = "cpu"}), 3U);
  EXPECT_EQ(count({.level = "avx2"}), 3U);
  EXPECT_EQ(count({.precision = "int8"}), 2U);
  EXPECT_EQ(count({.code = "0.0.9"}), 1U);
  EXPECT_EQ(count({.code = "abcdef"}), 1U);
  EXPECT_EQ(count({.code = "compiler"}), 0U);
  EXPECT_EQ(count({.machine = "01234567"}), 1U);
  EXPECT_EQ(count({.workload = "32 sentences"}), 1U);
  EXPECT_EQ(count({.batch = 8}), 1U);
  EXPECT_EQ(count({.tokens = 128, .threads = 2}), 3U);
  EXPECT_EQ(count({.threads = 3}), 0U);
  EXPECT_EQ(count({.model = "'; DROP TABLE record; --"}), 0U);
  EXPECT_EQ(count({}), 4U);

  EXPECT_TRUE(records.latest<Agreement>({.precision = "int8"}));
  EXPECT_FALSE(records.latest<Agreement>({.precision = "f32"}));
}

TEST(Records, TheNewestPathOfAModelIsItsPath) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  const std::string id = records.add(record_with(measurement()));
  Record moved = record_with(measurement());
  moved.model.path = "/elsewhere/one";
  records.add(moved);
  EXPECT_EQ(records.find(id).model.path, "/elsewhere/one");
  moved.model.path = "";
  records.add(moved);
  EXPECT_EQ(records.find(id).model.path, "/elsewhere/one");
}

TEST(Records, AnIdIsFoundByItsBeginning) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  Record record = record_with(measurement());
  record.id = "abcd0000-0000-4000-8000-000000000001";
  records.add(record);
  record.id = "abcd0000-0000-4000-8000-000000000002";
  records.add(record);
  EXPECT_EQ(records.find("abcd0000-0000-4000-8000-000000000002").id, record.id);
  EXPECT_EQ(error_of([&] { records.find("abcd"); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { records.find("abc"); }).kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error_of([&] { records.find("ffff"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_of([&] { records.add(record); }).kind(), ErrorKind::invalid_input) << "the id is there already";
  EXPECT_EQ(records.list({}).size(), 2U);
}

TEST(Records, WhatContradictsItselfIsRefusedByName) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  const auto refused = [&](const std::function<void(Record&)>& damage) {
    Record record = record_with(measurement());
    damage(record);
    const Error error = error_of([&] { records.add(record); });
    EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
    return error.where();
  };
  const auto measured = [](Record& r) -> Measurement& { return std::get<Measurement>(r.content); };
  EXPECT_EQ(refused([&](Record& r) { r.model.content_hash = "abc"; }), "field model.content_hash");
  EXPECT_EQ(refused([&](Record& r) { r.model.content_hash = hash_of('G'); }), "field model.content_hash");
  EXPECT_EQ(refused([&](Record& r) { r.device.name = ""; }), "field device.name");
  EXPECT_EQ(refused([&](Record& r) { r.precision = ""; }), "field precision");
  EXPECT_EQ(refused([&](Record& r) { r.id = "1234"; }), "field id");
  EXPECT_EQ(refused([&](Record& r) { r.model.path.assign(5000, 'x'); }), "field model.path");
  EXPECT_EQ(refused([&](Record& r) { measured(r).batch = 0; }), "field content.batch");
  EXPECT_EQ(refused([&](Record& r) { measured(r).p50_ms = -1; }), "field content.p50_ms");
  EXPECT_EQ(refused([&](Record& r) { measured(r).p50_ms = HUGE_VAL; }), "field content.p50_ms");
  EXPECT_EQ(refused([&](Record& r) { measured(r).p90_ms = 1; }), "field content.p90_ms");
  EXPECT_EQ(refused([&](Record& r) { measured(r).spread = std::nan(""); }), "field content.spread");
  EXPECT_EQ(refused([&](Record& r) { measured(r).workload = std::string("a\0b", 3); }), "field content.workload");
  EXPECT_EQ(refused([&](Record& r) { r.content = agreement(1.5); }), "field content.worst_cosine");
  EXPECT_EQ(refused([&](Record& r) { r.content = BatchChoice{.threads = 1, .bound = "hope", .batch = 1}; }),
            "field content.bound");
  EXPECT_EQ(records.list({}).size(), 0U);
  // A cosine that rounding lifts above 1 is a good one.
  records.add(record_with(agreement(1 + 1e-9)));
}

TEST(Records, AMachineIsTheSameEveryTime) {
  EXPECT_EQ(this_machine().id.size(), 16U);
  EXPECT_FALSE(this_machine().cpu.empty());
  EXPECT_GE(this_machine().logical_cpus, 1);
  EXPECT_GT(this_machine().memory_bytes, 0);
  EXPECT_TRUE(contains(this_machine().kernel, "Linux"));
  const std::string here = this_machine().id;
  const pid_t process = start_process([&] {
    if (this_machine().id != here) throw Error(ErrorKind::internal, "another machine");
  });
  EXPECT_EQ(finished(process), 0);
}

TEST(Records, ThePathFollowsTheEnvironment) {
  const auto path_with = [](const char* chosen, const char* data, const char* home) {
    fs::path found;
    const auto set = [](const char* name, const char* value) {
      value == nullptr ? unsetenv(name) : setenv(name, value, 1);
    };
    const std::string home_before = std::getenv("HOME") == nullptr ? "" : std::getenv("HOME");
    set("ACCELERATE_RECORDS", chosen);
    set("XDG_DATA_HOME", data);
    set("HOME", home);
    found = default_path();
    set("ACCELERATE_RECORDS", nullptr);
    set("XDG_DATA_HOME", nullptr);
    set("HOME", home_before.c_str());
    return found.string();
  };
  EXPECT_EQ(path_with("/x/y.sqlite", "/data", "/home/a"), "/x/y.sqlite");
  EXPECT_EQ(path_with("off", "/data", "/home/a"), "");
  EXPECT_EQ(path_with("", "/data", "/home/a"), "/data/ipfs-accelerate/records.sqlite");
  EXPECT_EQ(path_with(nullptr, "relative", "/home/a"), "/home/a/.local/share/ipfs-accelerate/records.sqlite");
  EXPECT_EQ(path_with(nullptr, nullptr, nullptr), "");
}

TEST(Records, AskingMakesNoFile) {
  const Folder folder;
  Records records(folder.path() / "deep/r.sqlite", Access::read);
  EXPECT_TRUE(records.list({}).empty());
  EXPECT_EQ(records.export_lines({}), "");
  EXPECT_EQ(error_of([&] { records.find("abcd"); }).kind(), ErrorKind::not_found);
  Recorder recorder(folder.path() / "deep/r.sqlite", [](const std::string& text) { ADD_FAILURE() << text; });
  EXPECT_FALSE(recorder.latest({}));
  EXPECT_EQ(folder.entries(), 0U);
  // The first record makes the file and its folder, and what asked before sees it.
  EXPECT_EQ(recorder.add(record_with(measurement())).size(), 36U);
  EXPECT_TRUE(recorder.latest<Measurement>({}));
  EXPECT_TRUE(fs::exists(folder.path() / "deep/r.sqlite"));
}

TEST(Recorder, KeepsNothingWhereItIsOff) {
  Recorder recorder({}, [](const std::string& text) { ADD_FAILURE() << text; });
  EXPECT_FALSE(recorder.keeps_records());
  EXPECT_EQ(recorder.add(record_with(measurement())), "");
  EXPECT_EQ(recorder.lost(), 0U);
  EXPECT_TRUE(recorder.list({}).empty());
}

TEST(Load, OthersWorkIsSeen) {
  ASSERT_TRUE(load_average());
  const OtherWork work;
  const pid_t busy = start_process([] {
    while (true) {
    }
  });
  std::this_thread::sleep_for(400ms);
  const auto seen = work.cpus_busy();
  kill(busy, SIGKILL);
  EXPECT_EQ(finished(busy), 128 + SIGKILL);
  ASSERT_TRUE(seen);
  EXPECT_GT(*seen, 0.2);
}

}  // namespace
}  // namespace accelerate::records::test
