// Every kernel of one level and its table. Included once by each level_*.cpp, after the level's vectors.
#include "backends/cpu/kernels/level.hpp"
// In the order in which they use each other.
#include "backends/cpu/kernels/math.hpp"
//
#include "backends/cpu/kernels/linear.hpp"
//
#include "backends/cpu/kernels/pack.hpp"
//
#include "backends/cpu/kernels/attention.hpp"
//
#include "backends/cpu/kernels/rows.hpp"
//
#include "backends/cpu/kernels/measure.hpp"

#define ACCELERATE_LEVEL_TABLE(level)                                                                                 \
  {                                                                                                                   \
    .panel_columns = level::kPanel, .tile_rows = level::kTileRows, .row_block = level::kRowBlock,                     \
    .query_block = level::kQueryBlock, .attention_scratch = level::attention_scratch, .linear = level::linear,        \
    .pack = level::pack, .attention = level::attention, .layer_norm = level::layer_norm, .rms_norm = level::rms_norm, \
    .rotary = level::rotary, .pool = level::pool, .softmax = level::softmax, .l2_normalize = level::l2_normalize,     \
    .activate = level::activate, .binary = level::binary, .affine = level::affine, .accumulate = level::accumulate,   \
    .peak_loop = level::peak_loop, .read = level::read,                                                               \
  }
