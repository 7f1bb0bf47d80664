#include "hardware/probes/probes.hpp"

namespace accelerate::hardware {

const std::vector<DriverProbe>& driver_probes() {
  static const std::vector<DriverProbe> probes = {
      {"cuda", "NVIDIA GPU (CUDA)", probe_cuda},
      {"rocm", "AMD GPU (ROCm)", probe_rocm},
      {"intel", "Intel GPU and NPU (Level Zero)", probe_intel},
      {"vulkan", "GPU by Vulkan, which WebGPU runs on", probe_vulkan},
      {"apple", "Apple GPU and Neural Engine (Core ML, Metal)", probe_apple},
      {"qnn", "Qualcomm NPU (QNN)", probe_qualcomm},
      {"browser", "WebGPU and WebNN in a browser", probe_browsers},
  };
  return probes;
}

}  // namespace accelerate::hardware
