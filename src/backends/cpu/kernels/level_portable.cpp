// The level that every machine has.
#define ACCELERATE_LEVEL portable
#include "backends/cpu/kernels/simd_generic.hpp"
//
#include "backends/cpu/kernels/all_kernels.hpp"

namespace accelerate::cpu::detail {
const LevelTable kPortableTable = ACCELERATE_LEVEL_TABLE(portable);
}
