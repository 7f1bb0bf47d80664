// Which of several devices a model is opened on, what is said of the others, and what happens when one is lost.
#include <gtest/gtest.h>

#include "backends/fake_backend.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

using Stages = std::vector<std::string>;

const std::vector<std::string> kTexts{"God is light."};

std::filesystem::path folder() { return model_folder("sentence_transformer"); }

Error error_of(const OpenOptions& options) {
  try {
    Model::open(folder(), options);
  } catch (const Error& error) {
    return error;
  }
  ADD_FAILURE() << "no error";
  return Error(ErrorKind::internal, "no error");
}

// "taken", or the stage at which a candidate ended.
Stages fates(const Model& model) {
  Stages stages;
  for (const DeviceCandidate& one : model.info().devices) stages.push_back(one.taken ? "taken" : one.stage);
  return stages;
}

std::vector<float> vector_of(const Model& model) {
  const Tensor vectors = model.embed(kTexts).vectors;
  const auto values = vectors.as<float>();
  return {values.begin(), values.end()};
}

TEST(DeviceChoice, TheFirstThatCanIsTaken) {
  const RegisteredFake fake;
  const Model model = Model::open(folder(), {.device = "fake:1,cpu"});
  EXPECT_EQ(model.info().device, "fake:1");
  EXPECT_EQ(fates(model), (Stages{"taken", "not tried"}));
  EXPECT_EQ(fake->compiled, Stages{"1"});
  EXPECT_EQ(vector_of(model), vector_of(Model::open(folder(), {.device = "cpu"})));
  EXPECT_EQ(fake->compiled, Stages{"1"}) << "what was compiled to decide is what runs";
}

TEST(DeviceChoice, AutoIsTheDefaultOrder) {
  const Model model = Model::open(folder());
  EXPECT_EQ(model.info().device, "cpu");
  EXPECT_EQ(fates(model), Stages{"taken"});
  EXPECT_EQ(Model::open(folder(), {.device = "cpu,auto"}).info().devices.size(), 1U) << "each device once";
}

TEST(DeviceChoice, OneDeviceIsNoChoiceSoNothingIsCompiledForIt) {
  const RegisteredFake fake;
  const Model model = Model::open(folder(), {.device = "fake"});
  EXPECT_EQ(model.info().device, "fake:0");
  EXPECT_TRUE(fake->compiled.empty());
  model.prepare();
  EXPECT_EQ(fake->compiled, Stages{"0"});
}

TEST(DeviceChoice, AFailureAtCompileFallsBackAndSaysWhere) {
  RegisteredFake fake(
      FakeDevices{.compile_errors = {{"0", Error(ErrorKind::out_of_memory, "wants 80 GB, there are 24 GB")},
                                     {"1", Error(ErrorKind::unavailable, "the driver is too old", "libfake.so")}}});
  const Model model = Model::open(folder(), {.device = "fake:0,fake:1,cpu"});
  EXPECT_EQ(model.info().device, "cpu");
  EXPECT_EQ(fates(model), (Stages{"compile", "find", "taken"}));
  EXPECT_EQ(model.info().devices[0].reason, "wants 80 GB, there are 24 GB");
  EXPECT_EQ(model.info().devices[1].reason, "libfake.so: the driver is too old");
  EXPECT_EQ(vector_of(model), vector_of(Model::open(folder())));
}

TEST(DeviceChoice, AMissingOperationFallsBackAndIsNamed) {
  const RegisteredFake fake({}, {"attention", "pool"});
  const Model model = Model::open(folder(), {.device = "fake,cpu"});
  EXPECT_EQ(fates(model), (Stages{"support", "taken"}));
  EXPECT_EQ(model.info().devices[0].reason, "lacks the operations attention (disabled), pool (disabled)");
  EXPECT_TRUE(fake->compiled.empty());
}

TEST(DeviceChoice, AMissingDeviceFallsBackButAMisspeltBackendDoesNot) {
  const RegisteredFake fake;
  const Model model = Model::open(folder(), {.device = "fake:7,cpu"});
  EXPECT_EQ(fates(model), (Stages{"find", "taken"}));
  EXPECT_EQ(without_runtimes(model.info().devices[0].reason), "there is no such device; there are fake:0, fake:1, cpu");
  const Error misspelt = error_of({.device = "cpu,fkae"});
  EXPECT_EQ(misspelt.kind(), ErrorKind::not_found);
  EXPECT_EQ(misspelt.where(), "device fkae");
  EXPECT_EQ(error_of({.device = "cpu,"}).kind(), ErrorKind::invalid_input);
}

TEST(DeviceChoice, APrecisionThatADeviceLacksFallsBack) {
  const RegisteredFake fake(FakeDevices{.compile_errors = {{"0", Error(ErrorKind::unsupported, "precision bf16")}}});
  const Model model = Model::open(folder(), {.device = "fake:0,fake:1", .precision = "bf16"});
  EXPECT_EQ(model.info().device, "fake:1");
  EXPECT_EQ(fates(model), (Stages{"support", "taken"}));
}

TEST(DeviceChoice, WithoutFallbackTheFirstFailureIsFinal) {
  RegisteredFake fake(FakeDevices{.compile_errors = {{"0", Error(ErrorKind::device_failed, "the device is gone")}}});
  EXPECT_EQ(error_of({.device = "fake:7,cpu", .fallback = false}).kind(), ErrorKind::not_found);
  const Model model = Model::open(folder(), {.device = "fake:0,cpu", .fallback = false});
  EXPECT_EQ(fates(model), (Stages{"taken", "not tried"}));
  EXPECT_THROW(model.prepare(), Error);
}

TEST(DeviceChoice, WhereNoneCanAllAreNamed) {
  const RegisteredFake fake(
      FakeDevices{.compile_errors = {{"0", Error(ErrorKind::out_of_memory, "wants 80 GB")},
                                     {"1", Error(ErrorKind::device_failed, "the device is gone")}}});
  const Error error = error_of({.device = "fake:0,fake:1"});
  EXPECT_EQ(error.kind(), ErrorKind::out_of_memory) << "the kind of the first";
  EXPECT_EQ(error.message(),
            "none of the devices asked for can be used: fake:0 (compile): wants 80 GB; "
            "fake:1 (compile): the device is gone");
}

TEST(DeviceChoice, WhatIsNotTheDevicesFaultIsFinal) {
  const RegisteredFake fake;
  const Error error = error_of({.device = "fake,cpu", .layer_precisions = {{"no.such.layer", "bf16"}}});
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_EQ(error.where(), "layer_precisions: no.such.layer");
  Cancellation stopped;
  stopped.cancel();
  EXPECT_EQ(error_of({.device = "fake,cpu", .cancellation = stopped}).kind(), ErrorKind::interrupted);
}

TEST(DeviceChoice, TheTaskThatTheModelIsOpenedForDecides) {
  const RegisteredFake fake({}, {"select_rows"});
  const std::filesystem::path masked = model_folder("bert_masked_lm");
  EXPECT_EQ(Model::open(masked, {.device = "fake,cpu"}).info().device, "cpu");
  EXPECT_EQ(Model::open(masked, {.device = "fake,cpu", .task = "embed"}).info().device, "fake:0");
}

TEST(DeviceChoice, AnotherPrecisionStaysOnTheDevice) {
  const RegisteredFake fake;
  const Model model = Model::open(folder(), {.device = "fake:1"});
  const Model lower = model.with_precision("bf16");
  EXPECT_EQ(lower.info().device, "fake:1");
  lower.prepare();
  EXPECT_EQ(fake->compiled, Stages{"1"});
}

TEST(LostDevice, IsNamedAndTheProcessGoesOn) {
  const RegisteredFake fake;
  const Model model = Model::open(folder(), {.device = "fake:1"});
  const std::vector<float> before = vector_of(model);
  fake->run_error = Error(ErrorKind::device_failed, "the device is gone");
  try {
    vector_of(model);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::device_failed);
    EXPECT_STREQ(error.what(), "device fake:1: the device is gone");
  }
  EXPECT_EQ(vector_of(Model::open(folder(), {.device = "cpu"})), before);
  fake->run_error.reset();
  EXPECT_EQ(vector_of(model), before) << "a device that is back is used again";
}

}  // namespace
}  // namespace accelerate
