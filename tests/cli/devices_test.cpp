// The commands `devices`, `doctor` and `report compatibility` on machines whose drivers misbehave.
#include <gtest/gtest.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <future>
#include <thread>

#include "cli/process.hpp"
#include "core/json.hpp"
#include "hardware/fake_drivers.hpp"

namespace accelerate::cli::test {
namespace {

namespace fs = std::filesystem;
using accelerate::test::link_fake_drivers;
using accelerate::test::script;

class DevicesCommand : public testing::Test {
 protected:
  Finished run(std::vector<std::string> arguments, std::vector<std::string> more = {},
               std::function<void(int)> started = {}) {
    std::vector<std::string> environment = {"ACCELERATE_CACHE=" + (folder_.path() / "cache").string(),
                                            "ACCELERATE_RECORDS=" + (folder_.path() / "r.sqlite").string(),
                                            "LD_LIBRARY_PATH=" + drivers_.path().string(), "ACCELERATE_THREADS=1"};
    environment.insert(environment.end(), more.begin(), more.end());
    return run_program(
        Call{.arguments = std::move(arguments), .environment = std::move(environment), .started = std::move(started)});
  }
  // Every kind of driver there is, behaving so.
  Finished run_with(const std::string& behaviour, std::vector<std::string> arguments) {
    if (drivers_.entries() == 0) link_fake_drivers(drivers_.path());
    return run(std::move(arguments), {"FAKE_DRIVER=" + behaviour});
  }
  const TemporaryFolder folder_, drivers_;
};

TEST_F(DevicesCommand, ShowsEveryKindAndMeasuresTheProcessor) {
  const Finished shown = run({"devices"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part :
       {"device", "cpu", "available", "cuda", "rocm", "intel", "vulkan", "apple", "qnn", "unavailable: library absent",
        "peak f32, one core", "GFLOP/s (measured)", "read, all threads", "GB/s (measured)", "numa nodes"}) {
    EXPECT_TRUE(contains(shown.out, part)) << part << " is missing in\n" << shown.out;
  }
  EXPECT_EQ(shown.err, "");
}

TEST_F(DevicesCommand, IsAnsweredFromTheCacheTheSecondTime) {
  const Json first = Json::parse(run({"devices", "--json"}).out, "devices");
  EXPECT_FALSE(first.at("from_cache").as_bool());
  double fastest = 1e9;
  for (int time = 0; time < 10; ++time) {
    const Finished again = run({"devices", "--json"});
    fastest = std::min(fastest, again.milliseconds);
    const Json second = Json::parse(again.out, "devices");
    EXPECT_TRUE(second.at("from_cache").as_bool());
    EXPECT_EQ(second.at("devices").dump(), first.at("devices").dump());
  }
  if (!kWatched) {
    EXPECT_LT(fastest, 20) << "ms, the fastest of ten";
  }
  EXPECT_TRUE(contains(run({"devices"}).err, "--refresh probes anew"));
  EXPECT_FALSE(Json::parse(run({"devices", "--json", "--refresh"}).out, "devices").at("from_cache").as_bool());
}

struct Shown {
  const char *behaviour, *row;
};

TEST_F(DevicesCommand, ADriverThatMisbehavesCostsALine) {
  const std::vector<Shown> all = {
      {"crash", "unavailable: crashed         the probe was ended by signal 11 (Segmentation fault)"},
      {"killed", "unavailable: crashed         the probe was ended by signal 9 (Killed)"},
      {"hang", "unavailable: timed out       the probe gave no answer within 1 s and was ended"},
      {"wrong", "unavailable: wrong result    what was copied to the device came back changed"},
      {"oom", "unavailable: out of memory   libcuda.so.1: cuMemAlloc_v2 answered 2: out of memory"},
      {"old", "unavailable: driver too old  libcuda.so.1: the driver is for version 11.4, expected at least 12.0"},
      {"none", "unavailable: no device       libcuda.so.1: cuInit answered 100: no device"}};
  for (const Shown& each : all) {
    const bool hangs = std::string(each.behaviour) == "hang";
    const Finished shown = run_with(each.behaviour, {"devices", "--refresh", "--timeout", hangs ? "1" : "60"});
    EXPECT_EQ(shown.code, 0) << shown.err;
    const std::size_t line = shown.out.find("cuda");
    ASSERT_NE(line, std::string::npos);
    // The width of the columns is not the point.
    std::string row = shown.out.substr(line, shown.out.find('\n', line) - line), expected = each.row;
    for (std::string* text : {&row, &expected}) {
      for (std::size_t at = 0; (at = text->find("  ")) != std::string::npos;) text->erase(at, 1);
    }
    EXPECT_TRUE(contains(row, expected)) << row;
  }
}

TEST_F(DevicesCommand, WhatFailedIsReported) {
  EXPECT_TRUE(contains(run({"report", "compatibility"}).out, "No device, driver or model has failed"));
  run_with("crash", {"devices", "--refresh"});
  run_with("crash", {"devices", "--refresh"});
  const Finished markdown = run({"report", "compatibility"});
  EXPECT_EQ(markdown.code, 0) << markdown.err;
  EXPECT_TRUE(contains(markdown.out,
                       "| cuda (NVIDIA GPU (CUDA)) | crashed | error | probe |  | the probe was ended by "
                       "signal 11"))
      << markdown.out;
  for (const Finished& shown :
       {run({"report", "compatibility", "--format", "json"}), run({"report", "compatibility", "--json"})}) {
    const Json errors = Json::parse(shown.out, "report").at("errors");
    ASSERT_GE(errors.items().size(), 5U);
    for (const Json& error : errors.items()) EXPECT_EQ(error.at("times").as_int(), 2) << error.dump();
  }
  EXPECT_EQ(run({"report", "gossip"}).code, 2);
}

TEST_F(DevicesCommand, TwoThatRenewTheCacheAtOnceBothAnswer) {
  auto other = std::async(std::launch::async, [this] { return run({"devices", "--refresh", "--json"}); });
  const Finished one = run({"devices", "--refresh", "--json"}), two = other.get();
  for (const Finished& finished : {one, two}) {
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(Json::parse(finished.out, "devices").at("devices").items().at(0).at("state").as_string(), "available");
  }
  EXPECT_TRUE(Json::parse(run({"devices", "--json"}).out, "devices").at("from_cache").as_bool());
}

TEST_F(DevicesCommand, ACacheThatCannotBeWrittenIsANote) {
  const Finished shown = run({"devices", "--json"}, {"ACCELERATE_CACHE=/dev/null/cache"});
  EXPECT_EQ(shown.code, 0);
  EXPECT_TRUE(contains(shown.err, "note: not kept for the next time: /dev/null/cache")) << shown.err;
  EXPECT_FALSE(Json::parse(shown.out, "devices").at("devices").items().empty());
}

TEST_F(DevicesCommand, CtrlCEndsTheProbesToo) {
  const fs::path number = folder_.path() / "helper-number";
  const fs::path helper = script(
      folder_, "helper",
      "echo $$ > " + number.string() + ".new; mv " + number.string() + ".new " + number.string() + "; exec sleep 1000");
  const Finished stopped = run({"devices", "--refresh"}, {"ACCELERATE_PROBE=" + helper.string()}, [&](int process) {
    while (!fs::exists(number) && ::kill(process, 0) == 0) {
    }
    ::kill(process, SIGINT);
  });
  EXPECT_EQ(stopped.code, 130);
  EXPECT_EQ(stopped.err, "error: stopped by a signal\n");
  EXPECT_NE(::kill(std::stoi(read(number)), 0), 0);
  EXPECT_EQ(errno, ESRCH) << "the probing program still runs";
}

TEST_F(DevicesCommand, DoctorSaysWhatToMend) {
  const Finished well = run({"doctor"});
  EXPECT_EQ(well.code, 0) << well.out;
  EXPECT_TRUE(contains(well.out, "all is well")) << well.out;
  const Finished ill = run_with("old", {"doctor", "--refresh"});
  EXPECT_EQ(ill.code, 1) << ill.out;
  EXPECT_TRUE(contains(ill.out, "-> update NVIDIA's driver to one for CUDA 12 or later")) << ill.out;
  const Json told = Json::parse(run_with("old", {"doctor", "--json"}).out, "doctor");
  EXPECT_FALSE(told.at("healthy").as_bool());
  const std::string too_many = std::to_string(std::thread::hardware_concurrency() + 1);
  const Finished threads = run({"doctor"}, {"ACCELERATE_THREADS=" + too_many});
  EXPECT_EQ(threads.code, 1);
  EXPECT_TRUE(contains(threads.out, "ACCELERATE_THREADS asks for more")) << threads.out;
}

}  // namespace
}  // namespace accelerate::cli::test
