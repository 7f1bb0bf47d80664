// An error thrown inside the library is caught by its type in a program that links it, and the library finds the
// program that it probes devices with.
#include <accelerate/devices.hpp>
#include <accelerate/error.hpp>
#include <accelerate/tensor.hpp>
#include <accelerate/version.hpp>
#include <cstdio>
#include <string>

namespace {

bool finds_probing_program() {
  for (const accelerate::DeviceReport& device : accelerate::devices()) {
    std::printf("%s: %s %s\n", device.name.c_str(), std::string(name_of(device.state)).c_str(), device.reason.c_str());
    if (device.reason.find("probing program") != std::string::npos) return false;
  }
  return true;
}

}  // namespace

int main() {
  if (!finds_probing_program()) return 1;
  try {
    const accelerate::Tensor tensor(accelerate::DType::f32, {2, -1});
    std::puts("a negative dimension was taken");
  } catch (const accelerate::Error& error) {
    const bool right = error.kind() == accelerate::ErrorKind::invalid_input;
    std::printf("%s: %s\n", std::string(accelerate::build_description()).c_str(), error.what());
    return right ? 0 : 1;
  }
  return 1;
}
