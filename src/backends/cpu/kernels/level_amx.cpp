// AVX-512 with VNNI and BF16, and the matrix unit for products in low precision; flags.cmake gives this file its flags.
#if defined(__x86_64__)
#if !defined(__AMX_BF16__) && !defined(__AMXBF16__)  // as GCC and as Clang 14 call it
#error "the flags of src/backends/cpu/kernels/flags.cmake are missing"
#endif
#define ACCELERATE_HAS_MATRIX_UNIT 1
#define ACCELERATE_LEVEL amx
#include "backends/cpu/kernels/simd_avx512.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kAmxTable = ACCELERATE_LEVEL_TABLE(amx);
}
#endif
