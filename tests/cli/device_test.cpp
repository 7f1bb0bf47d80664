// --device, --no-fallback, --explain and --split, as a user sees them.
#include <gtest/gtest.h>

#include "backends/fake_backend.hpp"
#include "cli/execute.hpp"
#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The program inside this process, where a test can bring its own devices.
Finished run_here(std::vector<std::string> words) {
  words.insert(words.begin(), "ipfs-accelerate");
  std::vector<const char*> argv;
  for (const std::string& word : words) argv.push_back(word.c_str());
  testing::internal::CaptureStdout();
  testing::internal::CaptureStderr();
  Finished finished;
  finished.code = cli::run_program(static_cast<int>(argv.size()), argv.data());
  finished.out = testing::internal::GetCapturedStdout();
  finished.err = testing::internal::GetCapturedStderr();
  return finished;
}

Json json_of(const Finished& finished) {
  EXPECT_EQ(finished.code, 0) << finished.err;
  return Json::parse(finished.out, "stdout");
}

std::string bert() { return fixture("bert").string(); }

FakeDevices failing() {
  return {.compile_errors = {{"0", Error(ErrorKind::out_of_memory, "wants 80 GB, there are 24 GB")}}};
}

TEST(DeviceOption, AnUnknownOneListsThoseThereAre) {
  for (const char* command : {"run", "verify", "bench", "inspect"}) {
    const Finished wrong = run_program({command, bert(), "--device", "cpv"});
    EXPECT_EQ(wrong.code, 4) << command;
    EXPECT_TRUE(contains(wrong.err, "device cpv: there is no such device; there are cpu")) << wrong.err;
  }
  EXPECT_EQ(run_program({"run", bert(), "a", "--device", "cpu,"}).code, 3);
}

TEST(DeviceOption, RunSaysWhereItComputes) {
  const Json found = json_of(run_program({"run", bert(), "a", "--json"}));
  EXPECT_EQ(found.at("device").as_string(), "cpu");
  const Json& cpu = found.at("devices").items().at(0);
  EXPECT_EQ(cpu.at("device").as_string(), "cpu");
  EXPECT_TRUE(cpu.at("taken").as_bool());
  EXPECT_EQ(run_program({"run", bert(), "a"}).err, "");
  EXPECT_EQ(run_program({"run", bert(), "a", "--explain"}).err, "note: device cpu: taken\n");
}

TEST(DeviceOption, AFallbackIsSaid) {
  const RegisteredFake fake(failing());
  const Finished told = run_here({"run", bert(), "a", "--device", "fake:0,fake:1,cpu"});
  EXPECT_EQ(told.code, 0);
  EXPECT_EQ(told.err,
            "note: device fake:0: not taken (compile): wants 80 GB, there are 24 GB\n"
            "note: device fake:1: taken\n");
  EXPECT_EQ(run_here({"run", bert(), "a", "--device", "fake:0,cpu", "--quiet"}).err, "");
  EXPECT_EQ(run_here({"run", bert(), "a", "--device", "fake:1,cpu"}).err, "") << "the first was taken";
}

TEST(DeviceOption, ExplainTellsOfEveryDevice) {
  const RegisteredFake fake(failing());
  const Finished told = run_here({"run", bert(), "a", "--device", "fake:0,fake:7,fake:1,cpu", "--explain"});
  EXPECT_EQ(without_runtimes(told.err),
            "note: device fake:0: not taken (compile): wants 80 GB, there are 24 GB\n"
            "note: device fake:7: not taken (find): there is no such device; there are fake:0, fake:1, cpu\n"
            "note: device fake:1: taken\n"
            "note: device cpu: not tried, as one before it was taken\n");
  const Json json = json_of(run_here({"run", bert(), "a", "--device", "fake:0,cpu", "--json"}));
  EXPECT_EQ(json.at("device").as_string(), "cpu");
  EXPECT_EQ(json.at("devices").items().at(0).at("stage").as_string(), "compile");
  EXPECT_EQ(json.at("devices").items().at(0).at("reason").as_string(), "wants 80 GB, there are 24 GB");
}

TEST(DeviceOption, WithoutFallbackTheFirstFailureIsFinal) {
  const RegisteredFake fake(failing());
  const Finished failed = run_here({"run", bert(), "a", "--device", "fake:0,cpu", "--no-fallback"});
  EXPECT_EQ(failed.code, 7);
  EXPECT_EQ(failed.err, "error: device fake:0: wants 80 GB, there are 24 GB\n");
}

TEST(DeviceOption, ALostDeviceIsNamed) {
  const RegisteredFake fake;
  fake->run_error = Error(ErrorKind::device_failed, "the device is gone");
  const Finished failed = run_here({"run", bert(), "a", "--device", "fake:1"});
  EXPECT_EQ(failed.code, 8);
  EXPECT_EQ(failed.err, "error: device fake:1: the device is gone\n");
}

TEST(SplitOption, AMissingOperationIsNamedOrComputedOnTheCpu) {
  const RegisteredFake fake({}, {"attention"});
  const Finished refused = run_here({"run", bert(), "a", "--device", "fake"});
  EXPECT_EQ(refused.code, 6);
  EXPECT_EQ(refused.err,
            "error: device fake:0: lacks the operation attention (disabled)\n"
            "  hint: --split computes it on the cpu\n");
  const Finished split = run_here({"run", bert(), "a", "--device", "fake", "--split", "--json"});
  EXPECT_EQ(split.err, "note: device fake:0: lacks attention, computed on the cpu\n");
  const Json whole = json_of(run_here({"run", bert(), "a", "--device", "cpu", "--json"}));
  const Json::Array& expected = whole.at("results").items().at(0).at("embedding").items();
  const Json found = json_of(split);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(found.at("results").items().at(0).at("embedding").items().at(i).as_double(), expected[i].as_double(),
                1e-5);
  }
}

TEST(SplitOption, InspectSaysWhatIsMissing) {
  const RegisteredFake fake({}, {"attention"});
  const Json plain = json_of(run_here({"inspect", bert(), "--device", "fake,cpu", "--json"}));
  EXPECT_EQ(plain.at("missing").items().at(0).as_string(), "fake:0: attention: disabled");
  for (const Json& row : plain.at("memory").items()) EXPECT_EQ(row.at("device").as_string(), "cpu");
  const Json split = json_of(run_here({"inspect", bert(), "--device", "fake", "--split", "--json"}));
  EXPECT_TRUE(split.at("missing").items().empty());
  EXPECT_EQ(split.at("memory").items().at(0).at("device").as_string(), "fake:0");
}

TEST(SeveralDevices, VerifyMakesOneTable) {
  const RegisteredFake fake;
  const Json found = json_of(run_here({"verify", bert(), "--device", "fake,cpu", "--json"}));
  const Json::Array& cases = found.at("cases").items();
  ASSERT_EQ(cases.size() % 2, 0U);
  EXPECT_EQ(cases.front().at("device").as_string(), "fake:0");
  EXPECT_EQ(cases.back().at("device").as_string(), "cpu");
  EXPECT_EQ(cases.front().at("name").as_string(), cases[cases.size() / 2].at("name").as_string());
  EXPECT_EQ(found.at("passed").as_int(), static_cast<std::int64_t>(cases.size()));
  const Finished table = run_here({"verify", bert(), "--device", "fake,cpu"});
  EXPECT_TRUE(contains(table.out, "fake:0")) << table.out;
  EXPECT_TRUE(table.out.starts_with("device")) << table.out;
}

TEST(SeveralDevices, VerifyGoesOnWhereOneCannotBeUsedAndDoesNotPass) {
  FakeDevices gone{.compile_errors = {{"0", Error(ErrorKind::unavailable, "the driver is too old")}}};
  const RegisteredFake fake(std::move(gone));
  const Finished told = run_here({"verify", bert(), "--device", "fake,cpu"});
  EXPECT_EQ(told.code, 1);
  EXPECT_TRUE(contains(told.out, "not compared on fake: the driver is too old")) << told.out;
  EXPECT_TRUE(contains(told.out, "0 failed")) << told.out;
  const Finished json = run_here({"verify", bert(), "--device", "fake,cpu", "--json"});
  const Json parsed = Json::parse(json.out, "stdout");
  EXPECT_EQ(parsed.at("unusable").items().at(0).at("device").as_string(), "fake");
  EXPECT_EQ(run_here({"verify", bert(), "--device", "fake"}).code, 9) << "where it is the only one, it is the error";
}

TEST(SeveralDevices, VerifyComparesPrecisionsOnEach) {
  const RegisteredFake fake;
  const Json found =
      json_of(run_here({"verify", bert(), "--device", "fake,cpu", "--precision", "bf16", "--no-record", "--json"}));
  const Json::Array& rows = found.at("agreement").at("precisions").items();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].at("device").as_string(), "fake:0");
  EXPECT_EQ(rows[1].at("device").as_string(), "cpu");
}

TEST(SeveralDevices, BenchHasARowForEach) {
  const RegisteredFake fake(failing());
  const Json found = json_of(run_here({"bench", bert(), "--device", "fake:0,fake:1,cpu", "--tokens", "8", "--seconds",
                                       "0.05", "--no-record", "--json"}));
  const Json::Array& rows = found.at("rows").items();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("state").as_string(), "refused");
  EXPECT_EQ(rows[0].at("device").as_string(), "fake:0");
  EXPECT_EQ(rows[1].at("state").as_string(), "measured");
  EXPECT_EQ(rows[1].at("device").as_string(), "fake:1");
  EXPECT_TRUE(rows[1].at("share_of_limit").is_null()) << "no limit is known of a made-up device";
  EXPECT_FALSE(rows[2].at("share_of_limit").is_null());
}

// Records and tables tell it from the device alone.
TEST(SplitOption, BenchNamesBothDevices) {
  const RegisteredFake fake({}, {"attention"});
  const Json found = json_of(run_here(
      {"bench", bert(), "--device", "fake", "--split", "--tokens", "8", "--seconds", "0.05", "--no-record", "--json"}));
  const Json& row = found.at("rows").items().at(0);
  EXPECT_EQ(row.at("state").as_string(), "measured");
  EXPECT_EQ(row.at("device").as_string(), "fake:0+cpu");
}

TEST(DisabledOperations, AVariableTakesThemFromABackend) {
  const Finished refused = run_program(
      Call{.arguments = {"run", bert(), "a"}, .environment = {"ACCELERATE_DISABLE_OPERATIONS=cpu:attention,pool"}});
  EXPECT_EQ(refused.code, 6);
  EXPECT_TRUE(contains(refused.err, "device cpu: lacks the operations attention (disabled), pool (disabled)"))
      << refused.err;
  const Finished wrong = run_program(
      Call{.arguments = {"run", bert(), "a"}, .environment = {"ACCELERATE_DISABLE_OPERATIONS=abacus:pool"}});
  EXPECT_EQ(wrong.code, 3);
  EXPECT_TRUE(contains(wrong.err, "ACCELERATE_DISABLE_OPERATIONS: found \"abacus:pool\"")) << wrong.err;
}

}  // namespace
}  // namespace accelerate::cli::test
