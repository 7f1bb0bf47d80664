// AVX-512 with products of bytes (VNNI); flags.cmake gives this file its flags.
#if defined(__x86_64__)
#if !defined(__AVX512VNNI__)
#error "the flags of src/backends/cpu/kernels/flags.cmake are missing"
#endif
#define ACCELERATE_LEVEL avx512_vnni
#include "backends/cpu/kernels/simd_avx512.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kAvx512VnniTable = ACCELERATE_LEVEL_TABLE(avx512_vnni);
}
#endif
