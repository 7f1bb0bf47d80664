// AArch64 with its 32 registers of 4 floats and fused multiply-add.
#if defined(__aarch64__)
#define ACCELERATE_LEVEL neon
#include "backends/cpu/kernels/simd_generic.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kNeonTable = ACCELERATE_LEVEL_TABLE(neon);
}
#endif
