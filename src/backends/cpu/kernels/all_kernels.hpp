// Every kernel of one level and its table. Included once by each level_*.cpp, after the level's vectors.
#include "backends/cpu/kernels/level.hpp"
// In the order in which they use each other.
#include "backends/cpu/kernels/math.hpp"
//
#include "backends/cpu/kernels/linear.hpp"
//
#include "backends/cpu/kernels/pack.hpp"
//
#include "backends/cpu/kernels/encoded.hpp"
//
#include "backends/cpu/kernels/widened.hpp"
//
#include "backends/cpu/kernels/bf16.hpp"
//
#include "backends/cpu/kernels/int8.hpp"
//
#include "backends/cpu/kernels/vector_tiles.hpp"
//
#if defined(ACCELERATE_HAS_MATRIX_UNIT)
#include "backends/cpu/kernels/matrix_unit.hpp"
#endif
//
#include "backends/cpu/kernels/attention_blocks.hpp"
//
#include "backends/cpu/kernels/attention_pages.hpp"
//
#include "backends/cpu/kernels/attention.hpp"
//
#include "backends/cpu/kernels/rows.hpp"
//
#include "backends/cpu/kernels/measure.hpp"

#define ACCELERATE_LEVEL_TABLE(level)                                                                                 \
  {                                                                                                                   \
    .panel_columns = level::kPanel, .row_block = level::kRowBlock, .row_padding = level::kRowPadding,                 \
    .query_rows = level::kTileRows, .query_block = level::kQueryBlock, .attention_scratch = level::attention_scratch, \
    .f32 = {level::FloatPanels::panel_bytes,                                                                          \
            level::kTileRows,                                                                                         \
            level::kSmallestTask,                                                                                     \
            level::not_encoded,                                                                                       \
            nullptr,                                                                                                  \
            level::pack,                                                                                              \
            level::unpack,                                                                                            \
            level::linear,                                                                                            \
            level::peak_loop},                                                                                        \
    .f32_of_bf16 = {level::widened_panel_bytes,                                                                       \
                    level::kTileRows,                                                                                 \
                    level::kSmallestTask,                                                                             \
                    level::widened_encoded_bytes,                                                                     \
                    level::widened_encode,                                                                            \
                    level::bf16_pack,                                                                                 \
                    level::bf16_unpack,                                                                               \
                    level::linear_encoded<level::Widened<detail::Stored::bf16>, true>,                                \
                    level::peak_loop},                                                                                \
    .f32_of_f16 = {level::widened_panel_bytes,                                                                        \
                   level::kTileRows,                                                                                  \
                   level::kSmallestTask,                                                                              \
                   level::widened_encoded_bytes,                                                                      \
                   level::widened_encode,                                                                             \
                   level::f16_pack,                                                                                   \
                   level::f16_unpack,                                                                                 \
                   level::linear_f16,                                                                                 \
                   level::peak_loop},                                                                                 \
    .bf16 = {level::bf16_panel_bytes,  level::kEncodedTileRows,                                                       \
             level::kBf16SmallestTask, level::bf16_encoded_bytes,                                                     \
             level::bf16_encode,       level::bf16_pack,                                                              \
             level::bf16_unpack,       level::linear_encoded<level::Bf16>,                                            \
             level::bf16_peak_loop},                                                                                  \
    .int8 = {level::int8_panel_bytes,  level::kEncodedTileRows,                                                       \
             level::kInt8SmallestTask, level::int8_encoded_bytes,                                                     \
             level::int8_encode,       level::int8_pack,                                                              \
             level::int8_unpack,       level::linear_encoded<level::Int8>,                                            \
             level::int8_peak_loop},                                                                                  \
    .attention = level::attention, .layer_norm = level::layer_norm, .rms_norm = level::rms_norm,                      \
    .rotary = level::rotary, .pool = level::pool, .softmax = level::softmax, .l2_normalize = level::l2_normalize,     \
    .activate = level::activate, .binary = level::binary, .softcap = level::softcap, .affine = level::affine,         \
    .accumulate = level::accumulate, .read = level::read,                                                             \
  }
