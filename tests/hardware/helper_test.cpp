// The probing program, and programs that stand for it and end badly: each becomes a row, and nothing else happens.
#include "hardware/helper.hpp"

#include <gtest/gtest.h>

#include "hardware/devices.hpp"
#include "hardware/fake_drivers.hpp"

namespace accelerate::hardware {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPatient{60'000};

class HelperTest : public testing::Test {
 protected:
  DeviceReport ask(const std::string& text, milliseconds limit = kPatient) {
    DeviceReport row;
    row.name = "gpu:0";
    row.description = "A GPU";
    const ProbeAnswer answer = Helper(test::script(folder_, "helper", text), limit, {}).ask({"driver", "gpu"}, row);
    EXPECT_EQ(answer.reports.size(), 1U);
    EXPECT_EQ(answer.reports[0].name, "gpu:0");
    EXPECT_EQ(answer.reports[0].description, "A GPU");
    return answer.reports[0];
  }
  const TemporaryFolder folder_;
  test::Environment environment_;
};

TEST_F(HelperTest, KilledIsCrashed) {
  const DeviceReport report = ask("kill -KILL $$");
  EXPECT_EQ(report.stage, ProbeStage::crashed);
  EXPECT_TRUE(contains(report.advice, "when memory runs out")) << report.advice;
}

TEST_F(HelperTest, HangingIsTimedOut) {
  const DeviceReport report = ask("echo stuck in the driver >&2; exec sleep 1000", milliseconds(300));
  EXPECT_EQ(report.stage, ProbeStage::timed_out);
  EXPECT_EQ(report.reason, "the probe gave no answer within 0.3 s and was ended; it said last: stuck in the driver");
}

TEST_F(HelperTest, AnswersThatAreNoneAreFailed) {
  for (const char* answer : {"exit 0", "echo nonsense", "echo '{\"reports\": 1}'", "echo '[]'", "echo '{'; exit 3",
                             "printf '{\"reports\": [], \"libraries\": [1]}'", "printf '\\377\\000'"}) {
    const DeviceReport report = ask(answer);
    EXPECT_EQ(report.stage, ProbeStage::failed) << answer;
    EXPECT_TRUE(contains(report.reason, "is no report")) << report.reason;
  }
  EXPECT_TRUE(contains(ask("exec yes").reason, "answered without end"));
}

TEST_F(HelperTest, RowsWithoutANameTakeTheAskedOne) {
  const DeviceReport report =
      ask("echo '{\"reports\": [{\"name\": \"\", \"backend\": \"\", \"description\": \"\", \"state\": \"unavailable\", "
          "\"stage\": \"out of memory\", \"reason\": \"r\", \"facts\": {}, \"measured\": []}], \"libraries\": []}'");
  EXPECT_EQ(report.stage, ProbeStage::out_of_memory);
  EXPECT_EQ(report.reason, "r");
}

TEST_F(HelperTest, IsFoundBesideThisProgram) {
  const std::filesystem::path found = find_helper();
  EXPECT_EQ(found.filename(), kHelperName);
  EXPECT_EQ(found.parent_path(), std::filesystem::canonical("/proc/self/exe").parent_path());
}

TEST_F(HelperTest, TheVariableNamesAnother) {
  const std::filesystem::path other = test::script(folder_, "other", "exit 0");
  environment_.set("ACCELERATE_PROBE", other.string());
  EXPECT_EQ(find_helper(), other);
  environment_.set("ACCELERATE_PROBE", "/nowhere/probe");
  const Error error = error_of([] { find_helper(); });
  EXPECT_EQ(error.kind(), ErrorKind::unavailable);
  EXPECT_TRUE(contains(error.what(), "ACCELERATE_PROBE: /nowhere/probe")) << error.what();
}

TEST_F(HelperTest, WithoutItTheProcessorIsProbedAndAllElseUntested) {
  environment_.set("ACCELERATE_PROBE", "/nowhere/probe");
  const ProbeAnswer answer = probe_all({.threads = 1});
  EXPECT_EQ(answer.reports[0].name, "cpu");
  EXPECT_EQ(answer.reports[0].state, DeviceState::available) << answer.reports[0].reason;
  for (std::size_t i = 1; i < answer.reports.size(); ++i) {
    EXPECT_EQ(answer.reports[i].state, DeviceState::untested) << answer.reports[i].name;
    EXPECT_TRUE(contains(answer.reports[i].reason, "/nowhere/probe")) << answer.reports[i].reason;
  }
}

TEST_F(HelperTest, WrongUseIsToldApart) {
  for (const char* word : {"", "driver", "no_such_probe"}) {
    DeviceReport row;
    row.name = "x";
    const DeviceReport report = Helper(find_helper(), kPatient, {}).ask({word}, row).reports[0];
    EXPECT_EQ(report.stage, ProbeStage::failed);
    EXPECT_TRUE(contains(report.reason, "exit code 2")) << report.reason;
    EXPECT_TRUE(contains(report.reason, "usage: ")) << report.reason;
  }
}

TEST_F(HelperTest, ABackendThatIsNotThereIsNamed) {
  DeviceReport row;
  row.name = "x";
  const DeviceReport report = Helper(find_helper(), kPatient, {}).ask({"devices", "abacus"}, row).reports[0];
  EXPECT_EQ(report.stage, ProbeStage::no_device);
  EXPECT_TRUE(contains(report.reason, "device abacus: there is no such device")) << report.reason;
}

TEST_F(HelperTest, TheProcessorRunsTheSmallGraph) {
  DeviceReport row;
  const ProbeAnswer listed = Helper(find_helper(), kPatient, {}).ask({"devices", "cpu"}, row);
  ASSERT_EQ(listed.reports.size(), 1U);
  EXPECT_EQ(listed.reports[0].state, DeviceState::untested) << "nothing has run yet";
  const ProbeAnswer probed = Helper(find_helper(), kPatient, {}).ask({"device", "cpu", "cpu"}, row);
  EXPECT_EQ(probed.reports[0].state, DeviceState::available) << probed.reports[0].reason;
}

}  // namespace
}  // namespace accelerate::hardware
