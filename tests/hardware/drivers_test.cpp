// Drivers as they are met in the world, each asked by the probing program: what becomes of its row.
#include <gtest/gtest.h>

#include "hardware/fake_drivers.hpp"
#include "hardware/helper.hpp"
#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {
namespace {

using std::chrono::milliseconds;
constexpr milliseconds kPatient{60'000};

struct Expected {
  const char *behaviour, *kind;
  DeviceState state;
  ProbeStage stage;
  const char* reason;  // a part of it
};

class Drivers : public testing::TestWithParam<Expected> {
 protected:
  void SetUp() override { environment_.set("LD_LIBRARY_PATH", folder_.path().string()); }

  ProbeAnswer ask(const std::string& kind, const char* behaviour, milliseconds limit = kPatient) {
    environment_.set("FAKE_DRIVER", behaviour);
    DeviceReport row;
    row.name = kind;
    row.description = "asked about";
    return Helper(find_helper(), limit, {}).ask({"driver", kind}, row);
  }

  const TemporaryFolder folder_;
  test::Environment environment_;
};

TEST_P(Drivers, BecomeARow) {
  test::link_fake_drivers(folder_.path());
  const Expected& expected = GetParam();
  const bool hangs = expected.stage == ProbeStage::timed_out;
  const ProbeAnswer answer = ask(expected.kind, expected.behaviour, hangs ? milliseconds(1000) : kPatient);
  ASSERT_FALSE(answer.reports.empty());
  const DeviceReport& report = answer.reports[0];
  EXPECT_EQ(report.state, expected.state) << report.reason;
  EXPECT_EQ(report.stage, expected.stage) << name_of(report.stage) << ": " << report.reason;
  EXPECT_TRUE(contains(report.reason, expected.reason)) << report.reason;
  EXPECT_TRUE(report.name.starts_with(expected.kind)) << report.name;
  EXPECT_FALSE(report.description.empty());
}

constexpr DeviceState kUntested = DeviceState::untested, kUnavailable = DeviceState::unavailable;

INSTANTIATE_TEST_SUITE_P(
    Fake, Drivers,
    testing::Values(
        Expected{"present", "cuda", kUntested, ProbeStage::none, "copies hold, but no graph ran: onnx:cuda"},
        Expected{"old", "cuda", kUnavailable, ProbeStage::driver_too_old, "for version 11.4, expected at least 12.0"},
        Expected{"none", "cuda", kUnavailable, ProbeStage::no_device, "cuInit answered 100: no device"},
        Expected{"failing", "cuda", kUnavailable, ProbeStage::failed, "cuInit answered 999"},
        Expected{"wrong", "cuda", kUnavailable, ProbeStage::wrong_result, "came back changed"},
        Expected{"oom", "cuda", kUnavailable, ProbeStage::out_of_memory, "cuMemAlloc_v2 answered 2: out of memory"},
        Expected{"hang", "cuda", kUnavailable, ProbeStage::timed_out, "gave no answer within 1 s and was ended"},
        Expected{"crash", "cuda", kUnavailable, ProbeStage::crashed,
                 "signal 11 (Segmentation fault); it said last: fake driver: about to crash"},
        Expected{"killed", "cuda", kUnavailable, ProbeStage::crashed, "signal 9 (Killed)"},
        Expected{"chatty", "cuda", kUntested, ProbeStage::none, "no graph ran"},
        Expected{"present", "rocm", kUntested, ProbeStage::none, "copies hold, but no graph ran: onnx:migraphx"},
        Expected{"old", "rocm", kUnavailable, ProbeStage::driver_too_old, "for version 5.4, expected at least 6.0"},
        Expected{"none", "rocm", kUnavailable, ProbeStage::no_device, "hipInit answered 100"},
        Expected{"wrong", "rocm", kUnavailable, ProbeStage::wrong_result, "came back changed"},
        Expected{"oom", "rocm", kUnavailable, ProbeStage::out_of_memory, "hipMalloc answered 2"},
        Expected{"present", "vulkan", kUntested, ProbeStage::none, "no graph ran: onnx:webgpu"},
        Expected{"none", "vulkan", kUnavailable, ProbeStage::no_device, "knows no adapter"},
        Expected{"failing", "vulkan", kUnavailable, ProbeStage::failed, "vkCreateInstance answered -3"},
        Expected{"oom", "vulkan", kUnavailable, ProbeStage::out_of_memory, "vkCreateInstance answered -1"},
        Expected{"present", "intel", kUntested, ProbeStage::none, "no graph ran: openvino:gpu"},
        Expected{"old", "intel", kUnavailable, ProbeStage::driver_too_old, "another version than the loader"},
        Expected{"none", "intel", kUnavailable, ProbeStage::no_device, "no driver found a device"},
        Expected{"oom", "intel", kUnavailable, ProbeStage::out_of_memory, "out of memory"},
        Expected{"failing", "intel", kUnavailable, ProbeStage::failed, "zeInit answered"},
        Expected{"present", "qnn", kUntested, ProbeStage::none, "no graph ran: onnx:qnn"},
        Expected{"old", "qnn", kUnavailable, ProbeStage::driver_too_old, "of interface version 1.25.1, expected 2"},
        Expected{"none", "qnn", kUnavailable, ProbeStage::failed, "with 0 providers"}),
    [](const auto& test) { return std::string(test.param.kind) + "_" + test.param.behaviour; });

TEST_F(Drivers, DescribeWhatIsThere) {
  test::link_fake_drivers(folder_.path());
  const ProbeAnswer cuda = ask("cuda", "present");
  ASSERT_EQ(cuda.reports.size(), 2U);
  EXPECT_EQ(cuda.reports[1].name, "cuda:1");
  EXPECT_EQ(cuda.reports[1].description, "Fake GPU 1");
  EXPECT_EQ(cuda.reports[1].facts, (std::vector<DeviceFact>{{"driver version", "13.2"}, {"memory", "8 GiB"}}));
  ASSERT_EQ(cuda.libraries.size(), 1U);
  EXPECT_TRUE(cuda.libraries[0].ends_with("libcuda.so.1")) << cuda.libraries[0];

  const ProbeAnswer vulkan = ask("vulkan", "present");
  ASSERT_EQ(vulkan.reports.size(), 1U);
  EXPECT_EQ(vulkan.reports[0].description, "Fake adapter, discrete GPU");
  EXPECT_EQ(vulkan.reports[0].facts, (std::vector<DeviceFact>{{"Vulkan version", "1.3.7"}, {"memory", "4 GiB"}}));

  const ProbeAnswer intel = ask("intel", "present");
  ASSERT_EQ(intel.reports.size(), 2U);
  EXPECT_EQ(intel.reports[0].name, "intel:gpu:0");
  EXPECT_EQ(intel.reports[1].name, "intel:npu:0");
  EXPECT_EQ(intel.reports[1].description, "Fake Intel NPU");
  EXPECT_EQ(intel.reports[1].facts, (std::vector<DeviceFact>{{"largest allocation", "2 GiB"}}));

  const ProbeAnswer qnn = ask("qnn", "present");
  EXPECT_EQ(qnn.reports[0].facts,
            (std::vector<DeviceFact>{{"provider", "HTP_QTI_AISW"}, {"interface version", "2.25.1"}}));
}

TEST_F(Drivers, AreAbsentWhereTheLinkerFindsNone) {
  const DeviceReport report = ask("qnn", "present").reports[0];
  EXPECT_EQ(report.name, "qnn");
  EXPECT_EQ(report.stage, ProbeStage::library_absent) << report.reason;
  EXPECT_TRUE(contains(report.reason, "finds no libQnnHtp.so")) << report.reason;
  EXPECT_FALSE(report.advice.empty());
}

TEST_F(Drivers, OfAnotherVersionLackAFunction) {
  test::link_fake_drivers(folder_.path(), EMPTY_DRIVER);
  for (const char* kind : {"cuda", "rocm", "vulkan", "intel", "qnn"}) {
    const DeviceReport report = ask(kind, "present").reports[0];
    EXPECT_EQ(report.stage, ProbeStage::driver_too_old) << kind << ": " << report.reason;
    EXPECT_TRUE(contains(report.reason, "has no function ")) << report.reason;
  }
}

TEST_F(Drivers, ThatAreNoLibraryAreToldSo) {
  folder_.write("libcuda.so.1", "no library at all");
  const DeviceReport report = ask("cuda", "present").reports[0];
  EXPECT_EQ(report.stage, ProbeStage::failed);
  EXPECT_TRUE(contains(report.reason, "libcuda.so.1: cannot be opened")) << report.reason;
}

TEST_F(Drivers, OfAppleAreOnMacOsOnly) {
  const DeviceReport report = ask("apple", "present").reports[0];
  EXPECT_EQ(report.stage, ProbeStage::no_device);
  EXPECT_TRUE(contains(report.reason, "on macOS only")) << report.reason;
}

TEST_F(Drivers, BrowsersAreUntestedEachWithItsTwoInterfaces) {
  environment_.set("PATH", folder_.path().string());
  EXPECT_EQ(ask("browser", "present").reports[0].stage, ProbeStage::library_absent);
  test::script(folder_, "chromium", "exit 1");
  test::script(folder_, "chromium-browser", "exit 1");
  test::script(folder_, "firefox", "exit 1");
  const ProbeAnswer answer = ask("browser", "present");
  std::string names;
  for (const DeviceReport& report : answer.reports) {
    EXPECT_EQ(report.state, DeviceState::untested);
    names += report.name + " ";
  }
  EXPECT_EQ(names, "chromium:webgpu chromium:webnn firefox:webgpu firefox:webnn ");
}

}  // namespace
}  // namespace accelerate::hardware
