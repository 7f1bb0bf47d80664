// An error thrown inside the library is caught by its type in a program that links it.
#include <accelerate/error.hpp>
#include <accelerate/tensor.hpp>
#include <accelerate/version.hpp>
#include <cstdio>

int main() {
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
