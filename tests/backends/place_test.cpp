// Devices by name: what a name stands for, and what is said of one that there is none of.
#include "backends/place.hpp"

#include <gtest/gtest.h>

#include "backends/fake_backend.hpp"

namespace accelerate {
namespace {

Error error_of(const std::string& name) {
  try {
    place_named(name);
  } catch (const Error& error) {
    return error;
  }
  return Error(ErrorKind::internal, "no error");
}

TEST(Place, ABackendAloneIsItsFirstDevice) {
  const RegisteredFake fake;
  EXPECT_EQ(place_named("cpu").name, "cpu");
  EXPECT_EQ(place_named("cpu").device, "");
  EXPECT_EQ(place_named("fake").name, "fake:0");
  EXPECT_EQ(place_named("fake").device, "0");
  EXPECT_EQ(place_named("fake:1").device, "1");
  EXPECT_EQ(place_named("fake:1").backend->name(), "fake");
}

TEST(Place, TheBeginningOfANameIsTheFirstDeviceThatBeginsSo) {
  const RegisteredFake fake(FakeDevices{.devices = {"fake:cpu", "fake:cuda:0", "fake:cuda:1"}});
  EXPECT_EQ(place_named("fake:cuda").name, "fake:cuda:0");
  EXPECT_EQ(error_of("fake:cud").kind(), ErrorKind::not_found);
}

TEST(Place, AnUnknownDeviceListsThoseThereAreTheNearestFirst) {
  const RegisteredFake fake(FakeDevices{.devices = {"fake:gpu:0", "fake:npu"}});
  const Error device = error_of("fake:gpu:1");
  EXPECT_EQ(device.kind(), ErrorKind::not_found);
  EXPECT_EQ(without_runtimes(device.what()),
            "device fake:gpu:1: there is no such device; there are fake:gpu:0, fake:npu, cpu");
  EXPECT_EQ(without_runtimes(error_of("cpu:1").what()),
            "device cpu:1: there is no such device; there are cpu, fake:gpu:0, fake:npu");
  EXPECT_EQ(without_runtimes(error_of("gpu").what()),
            "device gpu: there is no such device; there are cpu, fake:npu, fake:gpu:0");
}

// Its runtime library may be absent: compile() says where it was looked for.
TEST(Place, ABackendWithoutDevicesIsTakenAtItsWord) {
  const RegisteredFake fake(FakeDevices{.devices = {}});
  EXPECT_EQ(place_named("fake:cuda:0").name, "fake:cuda:0");
  EXPECT_EQ(place_named("fake:cuda:0").device, "cuda:0");
  EXPECT_EQ(place_named("fake").device, "");
}

TEST(Registry, ABackendHidesOneOfItsName) {
  const RegisteredFake first(FakeDevices{.devices = {"fake:first"}});
  {
    const RegisteredFake second(FakeDevices{.devices = {"fake:second"}});
    EXPECT_EQ(place_named("fake").name, "fake:second");
  }
  EXPECT_EQ(place_named("fake").name, "fake:first");
}

TEST(Registry, ABackendIsThereAsLongAsItIsRegistered) {
  const std::size_t before = backends().size();
  {
    const RegisteredFake fake;
    EXPECT_EQ(backends().size(), before + 1);
    EXPECT_EQ(backend_named("fake:1").name(), "fake");
  }
  EXPECT_EQ(backends().size(), before);
  EXPECT_EQ(error_of("fake").kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace accelerate
