// What one vector level provides: a table of plain functions over plain structs. Threads, shapes and memory are the
// business of the level-independent code (kernels.cpp and its neighbours); nothing here allocates or throws.
//
// The files of a level are compiled with its own flags. So that no instruction of a high level can leak into code that
// runs everywhere (two inline functions of one name are merged by the linker), they include no header of the library
// or of C++ with functions in it, and everything of theirs is in their own namespace.
#pragma once

// C's headers: those of C++ have functions in them.
#include <stddef.h>  // NOLINT(modernize-deprecated-headers)
#include <stdint.h>  // NOLINT(modernize-deprecated-headers)

namespace accelerate::cpu::detail {

// As WeightSource's dtype.
enum class Stored : uint8_t { f32, f16, bf16 };

// Y[rows, panels] (+)= X W for some row tiles and column panels of one product.
struct LinearBlock {
  const float* x;
  int64_t x_stride;
  const uint8_t* encoded;  // x as the product's encode() wrote it, or null where the product reads floats
  int64_t encoded_stride;  // bytes
  int64_t row_begin, row_end;
  const void* weight;  // packed panels
  int64_t in_features;
  int64_t panel_begin, panel_end;  // output panels; if gated each is two panels of the weight
  int64_t columns;                 // of Y
  bool gated;
  uint8_t activation;  // cpu::Activation
  const float* bias;   // null or [columns] (gated: twice as many)
  const float* residual;
  int64_t residual_stride;
  float* y;
  int64_t y_stride;
  int64_t y_column;  // of the product, with which y begins
};

// Some rows of a weight into columns of one panel, which was zero. In f32 a panel is [in_features][panel_columns];
// the other products' files say what theirs are.
struct PackPanel {
  const void* source;  // row 0 of the panel, k 0
  Stored stored;
  bool transposed;       // source(row, k) lies at k * stride + row instead of row * stride + k
  int64_t stride;        // elements
  int64_t rows;          // at most panel_columns
  int64_t first_column;  // of the panel, where row 0 goes
  int64_t in_features;
  const float* factors;  // of each input feature, or null; int8 only
  void* panel;
};

// Rows of inputs into what a product reads.
struct EncodeRows {
  const float* x;
  int64_t x_stride, rows, width;
  const float* factors;  // of each column, or null; int8 only
  uint8_t* out;
  int64_t out_stride;  // bytes
};

// Products in one precision.
struct ProductTable {
  int64_t (*panel_bytes)(int64_t in_features);
  int64_t tile_rows;      // rows of X that one pass over a panel serves
  int64_t smallest_task;  // operations worth handing to another thread where that costs 2.5 us
  // Of one row, a multiple of 64; 0 = the product reads floats.
  int64_t (*encoded_bytes)(int64_t in_features);
  void (*encode)(const EncodeRows&);
  void (*pack)(const PackPanel&);
  // One column of a panel back into in_features floats.
  void (*unpack)(const void* panel, int64_t in_features, int64_t column, float* out);
  void (*linear)(const LinearBlock&);
  // Runs multiply-adds, returns how many operations that was.
  int64_t (*peak_loop)(int64_t rounds);
};

// Queries of several heads that attention takes together, at most; those of one head of keys go together in any case.
constexpr int64_t kMostTogether = 32;

// Queries [query_begin, query_end) of one head of one sequence, against all its keys.
struct AttentionBlock {
  const float *query, *key, *value;  // row 0 of the sequence, at this head
  int64_t query_stride, key_stride, value_stride;
  float* output;
  int64_t output_stride;
  int64_t query_begin, query_end, keys, head_dim;
  float scale;
  float softcap;                    // 0: none
  int64_t shift;                    // position of query 0
  int64_t reach_back, reach_ahead;  // keys in [position - reach_back, position + reach_ahead] are seen
  const uint8_t* key_mask;          // of the sequence's key 0, or null
  const float* bias;                // of distance 0 at this head, or null
  int64_t bias_stride;
  // Instead of key and value: pages of kPagePositions positions, and where in each this head's panels of keys (already
  // multiplied with scale * log2(e)) and its rows of values begin.
  void* const* pages;
  Stored stored;           // of the pages
  int64_t first_position;  // of pages[0]
  int64_t key_place, value_place;
  // Where it is not 0, each query stands at position `shift`: the first ones are those of one head of keys, as many are
  // of the next, which lies behind it in the pages.
  int64_t key_heads;
  bool bf16;       // products may be rounded to it
  float* scratch;  // attention_scratch_floats for one thread
};

struct NormRows {
  const float* input;
  int64_t input_stride;
  float* output;
  int64_t output_stride;
  int64_t rows, width;
  const float *weight, *bias;
  float epsilon, weight_offset;
};

struct RotaryRows {
  float* x;
  int64_t stride, rows, heads, head_dim, rotary_dim;
  bool interleaved;
  const float *cosine, *sine;
  const int64_t* positions;
};

struct PoolRows {
  const float* input;
  int64_t stride, rows, width;
  const uint8_t* mask;
  uint8_t kind;  // cpu::Pooling
  float* output;
};

struct LevelTable {
  int64_t panel_columns;  // of packed weights
  int64_t row_block;      // rows that a LinearBlock should have at most
  int64_t row_padding;    // products may read encoded rows up to a multiple of it, whatever is there
  int64_t query_rows;     // that attention takes at once
  int64_t query_block;    // queries that an AttentionBlock may have at most
  int64_t (*attention_scratch)(int64_t head_dim);         // floats for one thread
  ProductTable f32, f32_of_bf16, f32_of_f16, bf16, int8;  // by Packing
  void (*attention)(const AttentionBlock&);
  void (*layer_norm)(const NormRows&);
  void (*rms_norm)(const NormRows&);
  void (*rotary)(const RotaryRows&);
  void (*pool)(const PoolRows&);
  void (*softmax)(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t width, bool log);
  void (*l2_normalize)(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t width);
  void (*activate)(uint8_t kind, const float* x, float* y, int64_t count);
  void (*binary)(uint8_t kind, const float* a, const float* b, float* y, int64_t count);
  void (*softcap)(float cap, const float* x, float* y, int64_t count);
  void (*affine)(float scale, float shift, const float* x, float* y, int64_t count);
  // y += stored values; the first table of a sum sets instead.
  void (*accumulate)(const void* row, Stored stored, float* y, int64_t count, bool set);
  float (*read)(const float* data, int64_t count);
};

extern const LevelTable kPortableTable;
#if defined(__x86_64__)
extern const LevelTable kAvx2Table, kAvx512Table, kAvx512VnniTable, kAvx512Bf16Table, kAmxTable;
#elif defined(__aarch64__)
extern const LevelTable kNeonTable;
#endif

}  // namespace accelerate::cpu::detail
