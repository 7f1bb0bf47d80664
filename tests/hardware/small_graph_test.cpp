// What makes a backend's device available: a small graph that comes out right.
#include "hardware/small_graph.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "checkpoint/temporary_folder.hpp"
#include "graph/interpreter.hpp"
#include "hardware/backend_probe.hpp"

namespace accelerate::hardware {
namespace {

// A backend that computes by the interpreter; `spoil` changes what it gives.
class FakeBackend final : public Backend {
 public:
  using Spoil = std::function<void(Outputs&)>;
  explicit FakeBackend(Spoil spoil, std::vector<Device> devices = {{"fake:gpu:0", "A fake GPU"}})
      : spoil_(std::move(spoil)), devices_(std::move(devices)) {}

  std::string_view name() const override { return "fake"; }
  std::vector<Device> devices() const override { return devices_; }
  Support supports(const Graph&, const Device&) const override { return {}; }
  MemoryEstimate memory(const Graph&, const Weights&, const Extents&, const CompileOptions&) const override {
    return {};
  }
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    asked_for = options.device;
    return std::make_unique<FakePlan>(graph, std::move(weights), spoil_);
  }
  mutable std::string asked_for;

 private:
  class FakeSession final : public Session {
   public:
    FakeSession(const Graph& graph, const Weights& weights, const Spoil& spoil)
        : graph_(graph), weights_(weights), spoil_(spoil) {}
    Outputs run(const Feeds& feeds) override {
      Outputs outputs = interpret(graph_, weights_, feeds);
      for (auto& [name, tensor] : outputs) tensor = tensor.to(DType::f32);
      spoil_(outputs);
      return outputs;
    }

   private:
    const Graph& graph_;
    const Weights& weights_;
    const Spoil& spoil_;
  };
  class FakePlan final : public Plan {
   public:
    FakePlan(Graph graph, std::shared_ptr<const Weights> weights, Spoil spoil)
        : graph_(std::move(graph)), weights_(std::move(weights)), spoil_(std::move(spoil)) {}
    std::unique_ptr<Session> start() const override { return std::make_unique<FakeSession>(graph_, *weights_, spoil_); }

   private:
    Graph graph_;
    std::shared_ptr<const Weights> weights_;
    Spoil spoil_;
  };
  Spoil spoil_;
  std::vector<Device> devices_;
};

DeviceReport probed(const FakeBackend::Spoil& spoil) { return probe_device(FakeBackend(spoil), "fake:gpu:0"); }

TEST(SmallGraph, RightNumbersMakeADeviceAvailable) {
  const FakeBackend backend([](Outputs&) {});
  const DeviceReport report = probe_device(backend, "fake:gpu:0");
  EXPECT_EQ(report.state, DeviceState::available) << report.reason;
  EXPECT_EQ(report.backend, "fake");
  EXPECT_EQ(backend.asked_for, "gpu:0");
  EXPECT_EQ(report.facts, (std::vector<DeviceFact>{{"precisions", "f32"}}));
}

TEST(SmallGraph, WrongNumbersDoNot) {
  const std::vector<FakeBackend::Spoil> wrong = {
      [](Outputs& outputs) { outputs.begin()->second.as<float>()[3] += 0.01F; },
      [](Outputs& outputs) { outputs.at("pooled").as<float>()[0] = std::nanf(""); },
      [](Outputs& outputs) { outputs.erase("pooled"); },
      [](Outputs& outputs) {
        outputs.at("states") = Tensor(DType::f32, {2, 2});
      },
      // As a device computes that rounds its inputs to 10 bits behind our back.
      [](Outputs& outputs) {
        for (auto& [name, tensor] : outputs) {
          for (float& value : tensor.as<float>()) value = std::round(value * 1024) / 1024;
        }
      }};
  for (const FakeBackend::Spoil& spoil : wrong) {
    const DeviceReport report = probed(spoil);
    EXPECT_EQ(report.state, DeviceState::unavailable);
    EXPECT_EQ(report.stage, ProbeStage::wrong_result) << report.reason;
    EXPECT_TRUE(contains(report.reason, "gave other numbers than the f64 interpreter")) << report.reason;
  }
}

TEST(SmallGraph, ErrorsOfTheBackendSayTheStage) {
  const auto stage = [](ErrorKind kind) { return probed([kind](Outputs&) { throw Error(kind, "it said no"); }).stage; };
  EXPECT_EQ(stage(ErrorKind::out_of_memory), ProbeStage::out_of_memory);
  EXPECT_EQ(stage(ErrorKind::unavailable), ProbeStage::library_absent);
  EXPECT_EQ(stage(ErrorKind::unsupported), ProbeStage::driver_too_old);
  EXPECT_EQ(stage(ErrorKind::device_failed), ProbeStage::failed);
}

TEST(SmallGraph, ABackendWithoutDevicesSaysWhatItLookedFor) {
  const FakeBackend absent(
      [](Outputs&) { throw Error(ErrorKind::unavailable, "no libfake.so in /usr/lib", {}, "install fake"); }, {});
  const std::vector<DeviceReport> rows = list_backend(absent);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].name, "fake");
  EXPECT_EQ(rows[0].stage, ProbeStage::library_absent);
  EXPECT_EQ(rows[0].reason, "no libfake.so in /usr/lib");
  EXPECT_EQ(rows[0].advice, "install fake");
}

TEST(SmallGraph, ADeviceThatIsGoneIsNoDevice) {
  const DeviceReport report = probe_device(FakeBackend([](Outputs&) {}), "fake:gpu:7");
  EXPECT_EQ(report.stage, ProbeStage::no_device);
}

}  // namespace
}  // namespace accelerate::hardware
