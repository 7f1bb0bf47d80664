// AVX-512 F, BW, DQ, VL; flags.cmake gives this file its flags.
#if defined(__x86_64__)
#if !defined(__AVX512F__)
#error "the flags of src/backends/cpu/kernels/flags.cmake are missing"
#endif
#define ACCELERATE_LEVEL avx512
#include "backends/cpu/kernels/simd_avx512.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kAvx512Table = ACCELERATE_LEVEL_TABLE(avx512);
}
#endif
