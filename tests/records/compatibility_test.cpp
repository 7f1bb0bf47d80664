// What did not go together: told once, counted after that, and never in the way of the work.
#include "records/compatibility.hpp"

#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

CompatibilityError crash(const std::string& message = "ended by signal 11") {
  return {.hardware = "cuda:0 (A GPU)",
          .kind = "crashed",
          .severity = "error",
          .component = "probe",
          .message = message,
          .advice = "update the driver"};
}

TEST(Compatibility, TheSameErrorIsOneRowThatCounts) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  records.add(crash());
  const CompatibilityError first = records.compatibility_errors().at(0);
  CompatibilityError again = crash();
  again.advice = "update the driver to 5";
  records.add(again);
  const std::vector<CompatibilityError> errors = records.compatibility_errors();
  ASSERT_EQ(errors.size(), 1U);
  EXPECT_EQ(errors[0].hardware, "cuda:0 (A GPU)");
  EXPECT_EQ(errors[0].message, "ended by signal 11");
  EXPECT_EQ(errors[0].advice, "update the driver to 5");
  EXPECT_EQ(errors[0].times, 2);
  EXPECT_EQ(errors[0].first_ms, first.first_ms);
  EXPECT_GE(errors[0].last_ms, first.last_ms);
  EXPECT_EQ(errors[0].machine.id, this_machine().id);
  EXPECT_EQ(errors[0].code.version, this_code().version);
}

TEST(Compatibility, OthersAreRowsOfTheirOwnTheLastMetFirst) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  records.add(crash("one"));
  records.add(crash("two"));
  CompatibilityError of_model = crash("two");
  of_model.model = "/models/m";
  records.add(of_model);
  const std::vector<CompatibilityError> errors = records.compatibility_errors();
  ASSERT_EQ(errors.size(), 3U);
  EXPECT_EQ(errors[0].model, "/models/m");
  EXPECT_EQ(errors[2].message, "one");
  EXPECT_TRUE(records.list({}).empty()) << "they are no records";
}

TEST(Compatibility, WhateverADriverSaidIsKept) {
  const Folder folder;
  Records records(folder.path() / "r.sqlite");
  records.add(crash(std::string("zero\0byte", 9)));
  records.add(crash(std::string(100'000, 'x')));
  const std::vector<CompatibilityError> errors = records.compatibility_errors();
  EXPECT_EQ(errors.at(0).message.size(), 4096U);
  EXPECT_EQ(errors.at(1).message, "zero byte");
}

TEST(Compatibility, ARecorderSaysWhatItLosesAndGoesOn) {
  const Folder folder;
  std::vector<std::string> told;
  const fs::path file = folder.write("file", "");
  Recorder recorder(file / "r.sqlite", [&](const std::string& text) { told.push_back(text); });
  EXPECT_FALSE(recorder.add(crash()));
  ASSERT_EQ(told.size(), 1U);
  EXPECT_TRUE(contains(told[0], "not recorded: ")) << told[0];
  EXPECT_FALSE(Recorder({}, {}).add(crash())) << "none are kept";
  EXPECT_TRUE(Recorder(folder.path() / "r.sqlite", {}).add(crash()));
}

TEST(Compatibility, OnlyDevicesThatFailAreErrors) {
  DeviceReport device;
  device.name = "cuda:0";
  device.description = "A GPU";
  device.reason = "it crashed";
  EXPECT_FALSE(compatibility_error_of(device)) << "untested";
  device.state = DeviceState::available;
  EXPECT_FALSE(compatibility_error_of(device));
  device.state = DeviceState::unavailable;
  for (const ProbeStage absent : {ProbeStage::library_absent, ProbeStage::no_device}) {
    device.stage = absent;
    EXPECT_FALSE(compatibility_error_of(device)) << name_of(absent);
  }
  device.stage = ProbeStage::wrong_result;
  const auto error = compatibility_error_of(device);
  ASSERT_TRUE(error);
  EXPECT_EQ(error->hardware, "cuda:0 (A GPU)");
  EXPECT_EQ(error->kind, "wrong result");
  EXPECT_EQ(error->message, "it crashed");
}

TEST(Compatibility, OnlyErrorsOfDevicesAndModelsAreKept) {
  const auto kept = [](ErrorKind kind) {
    return compatibility_error_of(Error(kind, "m", "w", "h"), "onnx:cpu", "/m").has_value();
  };
  EXPECT_TRUE(kept(ErrorKind::unsupported));
  EXPECT_TRUE(kept(ErrorKind::device_failed));
  EXPECT_TRUE(kept(ErrorKind::out_of_memory));
  EXPECT_FALSE(kept(ErrorKind::interrupted));
  EXPECT_FALSE(kept(ErrorKind::invalid_input));
  const auto error = compatibility_error_of(Error(ErrorKind::unsupported, "m", "w", "h"), "onnx:cpu", "/m");
  EXPECT_EQ(error->message, "w: m");
  EXPECT_EQ(error->advice, "h");
  EXPECT_EQ(error->component, "load");
}

}  // namespace
}  // namespace accelerate::records::test
