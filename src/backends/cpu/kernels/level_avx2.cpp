// AVX2 + FMA + F16C; flags.cmake gives this file its flags.
#if defined(__x86_64__)
#if !defined(__AVX2__)
#error "the flags of src/backends/cpu/kernels/flags.cmake are missing"
#endif
#define ACCELERATE_LEVEL avx2
#include "backends/cpu/kernels/simd_avx2.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kAvx2Table = ACCELERATE_LEVEL_TABLE(avx2);
}
#endif
