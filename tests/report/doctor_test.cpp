#include "report/doctor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "hardware/fake_drivers.hpp"
#include "records/records.hpp"

namespace accelerate::report {
namespace {

Finding finding_of(const std::vector<Finding>& findings, const std::string& area) {
  const auto found =
      std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) { return finding.area == area; });
  return found == findings.end() ? Finding{.area = "absent"} : *found;
}

DeviceReport device(DeviceState state, ProbeStage stage = ProbeStage::none, const std::string& name = "cuda:0") {
  DeviceReport report;
  report.name = name;
  report.description = "A GPU";
  report.state = state;
  report.stage = stage;
  report.reason = "what was found";
  report.advice = "what to do";
  return report;
}

Health health(const DeviceReport& report) { return examine_devices(std::vector{report}).at(0).health; }

TEST(Doctor, DevicesThatFailAreToBeMendedThoseThatAreAbsentAreNot) {
  EXPECT_EQ(health(device(DeviceState::available)), Health::well);
  EXPECT_EQ(health(device(DeviceState::untested)), Health::note);
  for (const ProbeStage absent : {ProbeStage::library_absent, ProbeStage::no_device}) {
    EXPECT_EQ(health(device(DeviceState::unavailable, absent)), Health::note);
    EXPECT_EQ(health(device(DeviceState::unavailable, absent, "cpu")), Health::mend);
  }
  for (const ProbeStage stage : {ProbeStage::driver_too_old, ProbeStage::out_of_memory, ProbeStage::wrong_result,
                                 ProbeStage::crashed, ProbeStage::timed_out, ProbeStage::failed}) {
    const Finding finding = examine_devices(std::vector{device(DeviceState::unavailable, stage)}).at(0);
    EXPECT_EQ(finding.health, Health::mend);
    EXPECT_EQ(finding.message, std::string(name_of(stage)) + ": what was found");
    EXPECT_EQ(finding.advice, "what to do");
  }
}

TEST(Doctor, RecordsAreReadNotMade) {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "r.sqlite";
  EXPECT_EQ(examine_records(file).at(0).health, Health::well);
  EXPECT_EQ(folder.entries(), 0U);
  records::Records(file).add(records::CompatibilityError{.severity = "error"});
  EXPECT_EQ(examine_records(file).at(0).health, Health::well);
  EXPECT_EQ(examine_records({}).at(0).health, Health::note);
}

TEST(Doctor, RecordsThatAreDamagedOrNewerAreNamed) {
  const TemporaryFolder folder;
  const auto damaged = folder.write("damaged.sqlite", std::string(4096, 'x'));
  EXPECT_EQ(examine_records(damaged).at(0).health, Health::mend);
  const std::filesystem::path newer = folder.path() / "newer.sqlite";
  records::Records(newer).add(records::CompatibilityError{.severity = "error"});
  std::fstream(newer, std::ios::in | std::ios::out | std::ios::binary).seekp(60).write("\0\0\0\x63", 4);
  const Finding finding = examine_records(newer).at(0);
  EXPECT_EQ(finding.health, Health::mend);
  EXPECT_TRUE(contains(finding.message, "has schema version 99")) << finding.message;
}

TEST(Doctor, AFolderThatCannotBeIsNamed) {
  const TemporaryFolder folder;
  const auto file = folder.write("file", "");
  EXPECT_EQ(examine_folder("cache", folder.path() / "not/made/yet").at(0).health, Health::well);
  const Finding finding = examine_folder("cache", file / "cache").at(0);
  EXPECT_EQ(finding.health, Health::mend);
  EXPECT_TRUE(contains(finding.message, file.string())) << finding.message;
}

class WholeDoctor : public testing::Test {
 protected:
  void SetUp() override {
    environment_.set("ACCELERATE_CACHE", folder_.path().string());
    environment_.set("ACCELERATE_RECORDS", (folder_.path() / "r.sqlite").string());
    environment_.set("ACCELERATE_PROBE", test::script(folder_, "helper", "exit 1").string());
  }
  const TemporaryFolder folder_;
  test::Environment environment_;
};

TEST_F(WholeDoctor, LooksAtEveryPart) {
  const std::vector<Finding> findings = examine(devices());
  for (const char* area : {"program", "probing program", "records", "cache", "threads", "memory", "vector level",
                           "huge pages", "device cpu", "device cuda", "device browser"}) {
    EXPECT_EQ(finding_of(findings, area).area, area);
  }
  const Finding helper = finding_of(findings, "probing program");
  EXPECT_EQ(helper.health, Health::mend);
  EXPECT_TRUE(contains(helper.message, "is of another build than this program")) << helper.message;
  EXPECT_EQ(finding_of(findings, "device cpu").health, Health::mend) << "its probe failed";
  EXPECT_FALSE(all_well(findings));
  EXPECT_FALSE(to_json(findings).at("healthy").as_bool());
  EXPECT_EQ(to_json(findings).at("findings").items().size(), findings.size());
}

TEST_F(WholeDoctor, MoreThreadsThanAllowedAreToBeMended) {
  environment_.set("ACCELERATE_THREADS", "1000");
  EXPECT_EQ(finding_of(examine(devices()), "threads").health, Health::mend);
  environment_.set("ACCELERATE_THREADS", "many");
  EXPECT_EQ(finding_of(examine(devices()), "threads").health, Health::mend);
  environment_.set("ACCELERATE_THREADS", "1");
  EXPECT_EQ(finding_of(examine(devices()), "threads").health, Health::well);
}

TEST_F(WholeDoctor, AForcedVectorLevelIsToldAWrongOneIsToBeMended) {
  environment_.set("ACCELERATE_CPU_LEVEL", "portable");
  EXPECT_EQ(finding_of(examine(devices()), "vector level").health, Health::note);
  environment_.set("ACCELERATE_CPU_LEVEL", "no such level");
  EXPECT_EQ(finding_of(examine(devices()), "vector level").health, Health::mend);
}

}  // namespace
}  // namespace accelerate::report
