// A device that does what a test wants: the cpu under other names, failing where it is told to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/limited_backend.hpp"

namespace accelerate {

// A text without the runtimes that this machine may have or not: ", onnx:cpu", ", openvino".
inline std::string without_runtimes(std::string text) {
  for (const std::string runtime : {", onnx", ", openvino"}) {
    for (std::size_t at; (at = text.find(runtime)) != std::string::npos;) {
      const std::size_t end = text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789:", at + runtime.size());
      text.erase(at, end - at);
    }
  }
  return text;
}

struct FakeDevices {
  std::string name = "fake";
  std::vector<std::string> devices = {"fake:0", "fake:1"};
  std::map<std::string, Error> compile_errors;  // by the device within the backend: "0"
  std::optional<Error> run_error;               // of runs from now on
  std::vector<std::string> compiled;            // the devices that something was compiled for, in order
};

class FakeBackend final : public ForwardingBackend {
 public:
  // `fake` may change while the backend is in use.
  explicit FakeBackend(std::shared_ptr<FakeDevices> fake)
      : ForwardingBackend(cpu::make_backend()), fake_(std::move(fake)) {}

  std::string_view name() const override { return fake_->name; }
  std::vector<Device> devices() const override {
    std::vector<Device> devices;
    for (const std::string& device : fake_->devices) devices.push_back({device, "made up"});
    return devices;
  }
  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    fake_->compiled.push_back(options.device);
    const auto error = fake_->compile_errors.find(options.device);
    if (error != fake_->compile_errors.end()) throw Error(error->second);
    CompileOptions own = options;
    own.device.clear();
    return std::make_unique<FakePlan>(ForwardingBackend::compile(graph, std::move(weights), own), fake_);
  }

 private:
  class FakeSession final : public Session {
   public:
    FakeSession(std::unique_ptr<Session> inner, std::shared_ptr<FakeDevices> fake)
        : inner_(std::move(inner)), fake_(std::move(fake)) {}
    Outputs run(const Feeds& feeds) override {
      if (fake_->run_error) throw Error(*fake_->run_error);
      return inner_->run(feeds);
    }
    StateSlots* slots() override { return inner_->slots(); }

   private:
    std::unique_ptr<Session> inner_;
    std::shared_ptr<FakeDevices> fake_;
  };

  class FakePlan final : public Plan {
   public:
    FakePlan(std::unique_ptr<Plan> inner, std::shared_ptr<FakeDevices> fake)
        : inner_(std::move(inner)), fake_(std::move(fake)) {}
    std::vector<PlanStep> steps() const override { return inner_->steps(); }
    std::unique_ptr<Session> start() const override { return std::make_unique<FakeSession>(inner_->start(), fake_); }

   private:
    std::unique_ptr<Plan> inner_;
    std::shared_ptr<FakeDevices> fake_;
  };

  std::shared_ptr<FakeDevices> fake_;
};

// Devices "fake:0" and "fake:1", for as long as this lives.
class RegisteredFake {
 public:
  explicit RegisteredFake(FakeDevices devices = {}, std::set<std::string, std::less<>> without = {})
      : state_(std::make_shared<FakeDevices>(std::move(devices))), registered_(made(state_, std::move(without))) {}
  FakeDevices* operator->() const { return state_.get(); }

 private:
  static std::unique_ptr<Backend> made(std::shared_ptr<FakeDevices> state, std::set<std::string, std::less<>> without) {
    auto fake = std::make_unique<FakeBackend>(std::move(state));
    if (without.empty()) return fake;
    return std::make_unique<LimitedBackend>(std::move(fake), std::move(without));
  }

  std::shared_ptr<FakeDevices> state_;
  RegisteredBackend registered_;
};

}  // namespace accelerate
