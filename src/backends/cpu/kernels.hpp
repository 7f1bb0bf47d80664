// The kernels of the native CPU backend: f32 rows, products in several precisions, one set a vector level, chosen at
// run time.
//
// Strides are in floats and may exceed the width, so that any operand may be a slice of a larger buffer. Rows are
// ragged: the sequences of a batch lie one after the other without padding, and offsets [batch + 1] say where each
// begins. No kernel allocates; what needs scratch memory says how much and takes it from its caller. Inputs and
// outputs may be the same rows only where that is said.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string_view>
#include <vector>

#include "accelerate/tensor.hpp"
#include "backends/precision.hpp"
#include "core/memory.hpp"
#include "core/thread_pool.hpp"

namespace accelerate::cpu {

// avx2 stands for AVX2 + FMA + F16C, avx512 for AVX-512 F, BW, DQ, VL on top of it, avx512_vnni and avx512_bf16 for
// those that also multiply bytes, and bf16 too, amx for those that have a matrix unit for both.
enum class Level { portable, neon, avx2, avx512, avx512_vnni, avx512_bf16, amx };

// "portable", "neon", "avx2", ...
std::string_view name_of(Level level);
// What this build has and this machine (processor and operating system) can run, slowest first; never empty.
std::vector<Level> supported_levels();
// The fastest of them, or what ACCELERATE_CPU_LEVEL names. Error{unsupported} when the machine lacks that one,
// Error{invalid_input} when there is no such level.
Level current_level();

struct ConstRows {
  const float* data = nullptr;
  std::int64_t stride = 0;
};

struct Rows {
  float* data = nullptr;
  std::int64_t stride = 0;
  operator ConstRows() const { return {data, stride}; }
};

// The stride at which rows of `width` floats should be laid out: rows that lie a multiple of 4096 bytes apart compete
// for the same few places of the first-level cache (a product over them loses 5 to 10 %).
constexpr std::int64_t row_stride(std::int64_t width) { return width % 1024 == 0 ? width + 16 : width; }

enum class Activation : std::uint8_t {
  none,
  relu,
  gelu_erf,    // x Phi(x), Phi by the error function (Hendrycks & Gimpel 2016)
  gelu_tanh,   // its approximation by tanh ("gelu_new", "gelu_pytorch_tanh")
  quick_gelu,  // x sigmoid(1.702 x)
  silu,        // x sigmoid(x)
  tanh,
  sigmoid,
  relu_squared,
  relu6,       // relu, at most 6
  leaky_relu,  // x, or 0.01 x below 0
  gelu_10,     // gelu_erf, at most 10
  hard_swish,  // x relu6(x + 3) / 6
  mish,        // x tanh(log(1 + e^x))
  laplace,     // Phi((x - 0.707107) / 0.282095)
};

// --- Weights ---------------------------------------------------------------------------------------------------------

// Where a weight's values are read from while it is packed.
struct WeightSource {
  const void* data = nullptr;  // [out_features, in_features] row-major, or [in_features, out_features] if transposed
  DType dtype = DType::f32;    // f32, f16 or bf16
  std::int64_t out_features = 0;
  bool transposed = false;  // "Conv1D" of GPT-2
  std::int64_t stride = 0;  // elements between two stored rows; 0 = they touch
};

// How a packed weight lies and is multiplied. Weights of f32 that are bf16 or f16 in the file stay that and are widened
// while they are multiplied: the same products from half the bytes.
enum class Packing : std::uint8_t { f32, f32_of_bf16, f32_of_f16, bf16, int8 };
// Error{unsupported} for a precision without products. `stored`: what all sources are, f32 where they differ.
Packing packing_of(Precision precision, DType stored = DType::f32);

// How many sets of factors a balanced matrix of these sources has: one for each where no panel holds two of them.
std::int64_t input_sets(std::span<const std::int64_t> sources, Level level, bool gated);

struct PackOptions {
  // bf16: rounded to it; inputs too where the processor multiplies bf16, else weights are widened again.
  // int8: symmetric, a scale for every column and group of 128 to 256 (or 64) input features; inputs are quantized to 8
  // bits (7 where products of bytes saturate) with a scale and a shift for every row and group, for each product anew.
  // Whole groups of both are rotated first, so that large numbers are shared out. Error{unsupported} for another.
  Precision precision = Precision::f32;
  // int8: how large each input feature tends to be, [in_features], where that is known (from the norm that makes it).
  // Large features are divided and their weights multiplied by magnitude^0.4 / (root of the sum of squared
  // weights)^0.6, so that neither loses most of its steps to a few features (SmoothQuant, Xiao et al. 2023); for each
  // source by itself where panels hold no two of them.
  std::span<const float> magnitudes;
  // Two halves of out_features, activated and multiplied (GeGLU, SwiGLU), laid in turn panel by panel:
  // Y = activation(X W_first) * (X W_second). out_features must be even; Y then has out_features / 2 columns.
  bool gated = false;
  // Called from any worker with bytes of a source that will not be read again (whole stored rows, in blocks).
  std::function<void(std::span<const std::byte>)> done;
};

// A weight [out_features, in_features] laid out for products: panels of 16 or 32 output columns (by level), in each
// the columns of one input feature (two where a number has 16 bits, four in int8) side by side. The last panel (of each
// half, if gated) is padded with zeros.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // The sources are stacked along out_features (query, key and value become one). Error{invalid_input} for shapes
  // below 1 or another dtype, Error{out_of_memory}.
  static PackedMatrix pack(ThreadPool& pool, Level level, std::int64_t in_features,
                           std::span<const WeightSource> sources, const PackOptions& options = {});

  bool empty() const { return out_features_ == 0; }
  Level level() const { return level_; }
  Packing packing() const { return packing_; }
  std::int64_t in_features() const { return in_features_; }
  std::int64_t out_features() const { return out_features_; }
  bool gated() const { return gated_; }
  // Columns of a product's result: out_features, or half of them if gated.
  std::int64_t columns() const { return gated_ ? out_features_ / 2 : out_features_; }
  std::int64_t panel_columns() const { return panel_columns_; }
  std::int64_t panels() const;
  std::size_t bytes() const { return buffer_.size() + factors_.size(); }
  std::span<const std::byte> panel_bytes() const { return buffer_.bytes(); }
  // What inputs are multiplied with before they are quantized: for each of input_sets() parts of the panels, [1 + sets]
  // of which begin at set_begin(), a row of [in_features]; null = nothing.
  const float* input_factors() const { return reinterpret_cast<const float*>(factors_.data()); }
  std::int64_t input_sets() const { return static_cast<std::int64_t>(set_panels_.size()) - 1; }
  std::int64_t set_begin(std::int64_t set) const { return set_panels_[static_cast<std::size_t>(set)]; }
  // Row `row` of the weight as it was before packing (rounded to the precision), in_features floats (an embedding that
  // is also the head). With `add` it is added to what is there. Error{invalid_input} when there is no such row.
  void read_row(std::int64_t row, float* out, bool add = false) const;

 private:
  Level level_ = Level::portable;
  Packing packing_ = Packing::f32;
  bool gated_ = false;
  std::int64_t in_features_ = 0, out_features_ = 0, panel_columns_ = 0;
  HostBuffer buffer_, factors_;
  std::vector<std::int64_t> set_panels_;
};

// Exactly PackedMatrix::bytes() of such a matrix, known before there is one. `sources` are their out_features.
std::size_t packed_bytes(std::span<const std::int64_t> sources, std::int64_t in_features, Level level,
                         Packing packing = Packing::f32, bool gated = false, bool balanced = false);

// What is done to a row: y = (x - mean) / sqrt(variance + epsilon) * weight + bias ("layer"),
// y = x / sqrt(mean(x^2) + epsilon) * (weight + weight_offset) ("rms"), or nothing.
struct Norm {
  enum class Kind : std::uint8_t { none, layer, rms };
  Kind kind = Kind::none;
  const float* weight = nullptr;  // [width], null = ones
  const float* bias = nullptr;    // [width], null = none
  float weight_offset = 0.0F;     // 1 for Gemma
  float epsilon = 0.0F;
};

// Y = activation(X W^T + bias) + residual, or for a gated weight
// Y = activation(X W_first^T + bias_first) * (X W_second^T + bias_second) + residual.
struct Epilogue {
  const float* bias = nullptr;  // [out_features] (both halves one after the other if gated), or null
  Activation activation = Activation::none;
  ConstRows residual;  // [rows, columns]; null data = none; may be Y itself
};

// Columns of a product, from `begin` to those of the next.
struct Columns {
  std::int64_t begin = 0;
  Rows rows;
};

// --- Keys and values that stay ---------------------------------------------------------------------------------------

// Positions of a sequence that lie together.
constexpr std::int64_t kPagePositions = 64;

// What one attention keeps in a page: for each key head panels of keys (PackedMatrix::panel_columns of them side by
// side), each multiplied with scale * log2(e); then for each head its values, value_stride() a position, in pieces of
// as many columns as a panel has (the last of what is left), [kPagePositions][columns] each. All in numbers.
struct PagePart {
  std::int64_t offset = 0;  // from the page's start
  std::int64_t kv_heads = 0, head_dim = 0;
  DType stored = DType::f32;  // or f16 or bf16, widened a block at a time when they are read

  std::int64_t value_stride() const { return (head_dim + 15) / 16 * 16; }
  std::int64_t key_numbers() const { return kv_heads * kPagePositions * head_dim; }
  std::int64_t numbers() const { return key_numbers() + kv_heads * kPagePositions * value_stride(); }
};

// A sequence's pages in the order of their positions.
struct PagedSequence {
  std::span<void* const> pages;
  std::int64_t first = 0;      // position that pages[0] begins with, a multiple of kPagePositions
  std::int64_t positions = 0;  // of the sequence, this run's included
};

// Puts this run's keys and values into pages. Row r of sequence s is its position positions - rows + r.
struct AppendKeys {
  ConstRows key, value;                   // [rows, kv_heads * head_dim]
  std::span<const std::int64_t> offsets;  // [batch + 1]
  std::span<const PagedSequence> sequences;
  PagePart part;
  float scale = 1.0F;  // as Attention's
  float softcap = 0.0F;
};

// --- Attention -------------------------------------------------------------------------------------------------------

// softmax(scale Q K^T + bias, over the keys allowed) V for every sequence and head.
struct Attention {
  ConstRows query, key, value;  // head h of a row starts at h * head_dim (key, value: kv head)
  Rows output;                  // [query rows, heads * head_dim]
  std::int64_t heads = 0;
  std::int64_t kv_heads = 0;                    // divides heads: head h reads kv head h / (heads / kv_heads)
  std::int64_t head_dim = 0;                    // 1 to 512
  std::span<const std::int64_t> query_offsets;  // [batch + 1], not decreasing
  std::span<const std::int64_t> key_offsets;    // [batch + 1]; empty = the same as the queries'
  float scale = 1.0F;
  float softcap = 0.0F;  // scores s become softcap * tanh(s / softcap), before any bias; 0: they stay
  // Query i of a sequence stands at position i, or if causal at i + keys - queries (a cache holds what came before).
  bool causal = false;                                             // keys after the query's position are not seen
  std::int64_t window = std::numeric_limits<std::int64_t>::max();  // only keys with |key - query| <= window are seen
  const std::uint8_t* key_mask = nullptr;                          // one a key row, 0 = not seen; null = all seen
  // Added to the scores by distance: [2 * bias_tokens - 1, heads], row key - query + bias_tokens - 1. Or null.
  const float* relative_bias = nullptr;
  std::int64_t bias_tokens = 0;  // at least the longest sequence
  // Keys and values in pages instead of rows, a sequence each: multiplied in f32, without key_mask and key_offsets.
  std::span<const PagedSequence> pages;
  PagePart part;
  bool appends = false;  // `key` and `value` are of the queries' rows, and go into the pages first (AppendKeys)
  // bf16 (or narrower): both products take their factors rounded to bf16 where the processor multiplies it.
  Precision precision = Precision::f32;
  // At least Kernels::attention_scratch_floats(head_dim, pool.threads()) floats, aligned to 64 bytes.
  float* scratch = nullptr;
};
// A query that sees no key at all gets zeros.

// Rotary position embedding (Su et al. 2021) of the first rotary_dim values of every head, in place.
struct Rotary {
  Rows x;  // [rows, heads * head_dim]
  std::int64_t rows = 0, heads = 0, head_dim = 0;
  std::int64_t rotary_dim = 0;    // even, at most head_dim
  bool interleaved = false;       // pairs (0, 1), (2, 3) ... (GPT-J); else (0, half), (1, half + 1) ... (NeoX)
  const float* cosine = nullptr;  // [positions, rotary_dim / 2]
  const float* sine = nullptr;    // the same
  const std::int64_t* positions = nullptr;  // [rows]; null = each row's own number
};

// --- Rows ------------------------------------------------------------------------------------------------------------

struct NormedRows {
  Norm norm;
  ConstRows input;
  Rows output;  // may be the input
  std::int64_t rows = 0, width = 0;
  std::int64_t groups = 1;  // of `width` numbers each, side by side in a row, that are normed by themselves
};

struct EmbeddingTable {
  const PackedMatrix* packed = nullptr;  // either a packed weight (a tied head),
  const void* data = nullptr;            // or rows [rows, width] as stored,
  DType dtype = DType::f32;              // f32, f16 or bf16
  std::int64_t rows = 0;                 // of `data`
  const std::int64_t* ids = nullptr;     // [rows of the output]; null = row 0 for all
  std::string_view name = "embedding";   // for the error about an id out of range
};

// Y[r] = scale * the sum over the tables of table[ids[r]], then normed.
struct Embedding {
  std::span<const EmbeddingTable> tables;
  Rows output;
  std::int64_t rows = 0, width = 0;
  std::int64_t first_row = 0;  // of more that others do, for errors
  float scale = 1.0F;
  Norm norm;
};

enum class Pooling : std::uint8_t { mean, max, first, last, mean_sqrt_length, weighted_mean };

// One vector a sequence. weighted_mean weighs token i (from 0) with i + 1. An empty sequence gives zeros.
struct Pool {
  Pooling kind = Pooling::mean;
  ConstRows input;
  std::span<const std::int64_t> offsets;   // [batch + 1]
  const std::uint8_t* row_mask = nullptr;  // one a row, 0 = left out (mean, max, sqrt, weighted); null = all taken
  std::int64_t width = 0;
  Rows output;  // [batch, width]
};

enum class Binary : std::uint8_t { add, subtract, multiply, divide, minimum, maximum };

namespace detail {
struct LevelTable;
}

// One level's kernels. Every call splits its work over the pool, is safe beside other calls, and returns when done.
// Shapes are the caller's promise; only ids are checked.
class Kernels {
 public:
  explicit constexpr Kernels(Level level, const detail::LevelTable& table) : level_(level), table_(&table) {}
  Level level() const { return level_; }

  // X [rows, in_features] -> Y [rows, weight.columns()], X normed before if so wanted. The weight must have been packed
  // for this level. `scratch`: linear_scratch_bytes, aligned to 64. Y may be X where X is normed.
  void linear(ThreadPool& pool, std::int64_t rows, ConstRows x, const PackedMatrix& weight, const Epilogue& epilogue,
              Rows y, std::byte* scratch = nullptr, const Norm& norm = {}) const {
    const Columns whole{0, y};
    linear(pool, rows, x, weight, epilogue, {&whole, 1}, scratch, norm);
  }
  // The same where columns of Y lie apart. Those of each part begin at a multiple of panel_columns().
  void linear(ThreadPool& pool, std::int64_t rows, ConstRows x, const PackedMatrix& weight, const Epilogue& epilogue,
              std::span<const Columns> y, std::byte* scratch, const Norm& norm = {}) const;
  std::int64_t panel_columns() const;
  // What linear needs for as many rows or fewer, where inputs are `normed`, rounded to the weights' precision or lie
  // unfavourably; else 0, as for Packing::f32 without a norm. `sets`: PackedMatrix::input_sets.
  std::size_t linear_scratch_bytes(std::int64_t rows, std::int64_t in_features, Packing packing, std::int64_t sets = 1,
                                   bool normed = false) const;
  void attention(ThreadPool& pool, const Attention& args) const;
  void append(ThreadPool& pool, const AppendKeys& args) const;
  // What Attention::scratch must hold; it does not depend on the lengths.
  std::size_t attention_scratch_floats(std::int64_t head_dim, int threads) const;
  void rotary(ThreadPool& pool, const Rotary& args) const;
  void norm(ThreadPool& pool, const NormedRows& args) const;
  // Error{invalid_input} for an id outside its table.
  void embedding(ThreadPool& pool, const Embedding& args) const;
  void pooling(ThreadPool& pool, const Pool& args) const;

  // Over each row of [rows, width]; y may be x.
  void softmax(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const;
  void log_softmax(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const;
  // Divided by max(norm, 1e-12), as sentence-transformers does.
  void l2_normalize(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const;
  void activate(ThreadPool& pool, Activation kind, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const;
  // y = a (kind) b; b.stride 0 repeats one row. y may be a or b.
  void binary(ThreadPool& pool, Binary kind, std::int64_t rows, std::int64_t width, ConstRows a, ConstRows b,
              Rows y) const;
  // y = cap * tanh(x / cap); y may be x.
  void softcap(ThreadPool& pool, float cap, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const;
  // y = x * scale + shift; y may be x.
  void affine(ThreadPool& pool, float scale, float shift, std::int64_t rows, std::int64_t width, ConstRows x,
              Rows y) const;
  // Billions of operations a second (2 a multiply-add) that one thread reached in `milliseconds` of nothing else, in
  // the arithmetic that products of this precision use.
  double measure_peak_gflops(double milliseconds, Precision precision = Precision::f32) const;
  // Bytes a second of reading `bytes` once more and more, for about `milliseconds`.
  double measure_read_bytes_per_second(std::span<const std::byte> bytes, double milliseconds) const;

 private:
  Level level_;
  const detail::LevelTable* table_;
};

// Error{unsupported} for a level that this build or machine lacks.
const Kernels& kernels(Level level);

}  // namespace accelerate::cpu
