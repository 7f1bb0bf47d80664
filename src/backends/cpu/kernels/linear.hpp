// Products over packed panels, for every level: the tile that attention shares, and the blocks of a linear layer.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::LinearBlock;

constexpr int kPanel = kPanelVectors * kLanes;
constexpr int kRowBlock = 130 / kTileRows * kTileRows;
constexpr int kLineFloats = 16;  // of a cache line
constexpr int kLineBytes = 64;
constexpr int64_t kSmallestTask = 1200000;
constexpr int kPanelGroup = 8;     // weight panels that share one copy of X in a cut product
constexpr int kCopiedDepth = 384;  // of that copy: a panel's part is 48 KiB at most, in the second-level cache

#define ACCELERATE_INLINE inline __attribute__((always_inline))
#define ACCELERATE_INLINE_LAMBDA __attribute__((always_inline))
#if defined(__clang__)
#define ACCELERATE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ACCELERATE_UNROLL _Pragma("GCC unroll 16")
#endif

#if defined(__aarch64__)
#define ACCELERATE_VECTOR_REGISTER(v) "w"(v)
#else
#define ACCELERATE_VECTOR_REGISTER(v) "v"(v)
#endif

// What the caller will read next, asked for while a tile is multiplied: a line in 2^every steps. Asking for one in
// every step takes all places that the first-level cache has for lines on their way.
struct Ahead {
  const void* lines;
  int every;
  bool streams = false;  // nothing else is read next: the weights themselves are asked for, stream_ahead() on
  ACCELERATE_INLINE const uint8_t* line(int64_t step) const {
    return static_cast<const uint8_t*>(lines) + (step >> every) * kLineBytes;
  }
  ACCELERATE_INLINE void ask(int64_t step) const { __builtin_prefetch(line(step), 0, 2); }
  // The same, counted from a later step.
  Ahead from(int64_t step) const { return {lines == nullptr ? nullptr : line(step), every, streams}; }
};

// Tile t of so many has its part of a panel to ask for, as evenly as tiles are many; the last ones what is there.
inline Ahead ahead_of(const void* next, const void* here, int64_t panel_bytes, int64_t t, int64_t tiles) {
  const int every = tiles >= 16 ? 3 : (tiles >= 8 ? 2 : (tiles >= 4 ? 1 : 0));
  const int64_t asking = int64_t{2} << every;
  if (t >= asking) return {here, every};
  return {static_cast<const uint8_t*>(next) + t * panel_bytes / asking, every};
}

// Weights that one tile reads once come from memory: each line is asked for as long before as memory takes, whatever
// the processor foresees by itself; as a rule for the second-level cache, which has more places for lines on their way.
// In bytes, as measured: one row takes 1.14 times as long at 6 KiB where weights come from the last cache, four rows
// and eight take 1.03 to 1.08 times as long at 3 KiB.
constexpr int64_t stream_ahead(int rows) { return rows == 1 ? 3072 : 6144; }
constexpr int64_t kMostStreamed = 8;  // rows: more hide memory behind their sums
constexpr int kFirstLevel = 3, kSecondLevel = 2;
template <int kRows, int kCacheLevel = kSecondLevel>
ACCELERATE_INLINE void ask_for_bytes(const uint8_t* w, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(w + stream_ahead(kRows) + at, 0, kCacheLevel);
}
template <int kRows, int kVectors>
ACCELERATE_INLINE void ask_for_stream(const float* w) {
  ACCELERATE_UNROLL for (int v = 0; v<kVectors; v += kLineFloats / kLanes> 0 ? kLineFloats / kLanes : 1) {
    __builtin_prefetch(reinterpret_cast<const uint8_t*>(w + v * kLanes) + stream_ahead(kRows), 0, kSecondLevel);
  }
}

// What few rows need beside their weights lies in memory too, or in the cache of the thread that wrote it, and no
// processor foresees it. A panel of one row takes little longer than memory takes to answer.
inline void ask_for_lines(const void* first, int64_t bytes) {
  for (int64_t at = 0; at < bytes; at += kLineBytes) __builtin_prefetch(static_cast<const uint8_t*>(first) + at);
}
// Rows of X, unless they are more than the first-level cache keeps beside weights.
inline void ask_for_inputs(const LinearBlock& b) {
  constexpr int64_t kMost = 16 << 10;
  const int64_t rows = b.row_end - b.row_begin;
  const int64_t bytes = b.encoded != nullptr ? b.encoded_stride : b.in_features * static_cast<int64_t>(sizeof(float));
  if (rows > kMostStreamed || rows * bytes > kMost) return;
  for (int64_t row = b.row_begin; row < b.row_end; ++row) {
    ask_for_lines(b.encoded != nullptr ? b.encoded + row * b.encoded_stride
                                       : reinterpret_cast<const uint8_t*>(b.x + row * b.x_stride),
                  bytes);
  }
}
// A panel's biases and residual, and where its rows of Y go.
inline void ask_for_epilogue(const LinearBlock& b, int64_t panel) {
  const int64_t column = panel * kPanel;
  if (b.row_end - b.row_begin > kMostStreamed || column >= b.columns) return;
  constexpr int64_t kBytes = kPanel * static_cast<int64_t>(sizeof(float));
  if (b.bias != nullptr) {
    ask_for_lines(b.bias + column, kBytes);
    if (b.gated) ask_for_lines(b.bias + b.columns + column, kBytes);
  }
  for (int64_t row = b.row_begin; row < b.row_end; ++row) {
    if (b.residual != nullptr) ask_for_lines(b.residual + row * b.residual_stride + column, kBytes);
    const float* y = b.y + row * b.y_stride + column - b.y_column;
    for (int64_t i = 0; i < kPanel; i += kLineFloats) __builtin_prefetch(y + i, 1);
  }
}
constexpr int64_t kPanelsAhead = 2;
// Before the first panel of a block.
inline void ask_beside_weights(const LinearBlock& b) {
  ask_for_inputs(b);
  for (int64_t i = 0; i < kPanelsAhead; ++i) ask_for_epilogue(b, b.panel_begin + i);
}

// Few rows have too few sums to hide a multiply-add's latency: then so many values of k go to sums of their own. Of
// tokens' rows that threads share out (kLeastShared) no tile has so few: so their sums are the same with any threads.
constexpr int kLeastOfSeveralTiles = (kTileRows + 1) / 2;
constexpr int steps_for(int rows, int vectors) {
  if (rows >= kLeastOfSeveralTiles || rows * vectors >= 8) return 1;
  return rows * vectors >= 4 ? 2 : 4;
}

// sums[u][r][v] += x[r][k + u] * w[k + u][v], u < kSteps.
template <int kRows, int kVectors, int kSteps, bool kStream>
ACCELERATE_INLINE void multiply_add(const float* x, int64_t x_stride, const float* w, int64_t w_stride, int64_t depth,
                                    const Ahead& ahead, Vec (&sums)[kSteps][kRows][kVectors]) {
  int64_t k = 0;
  for (; k + kSteps <= depth; k += kSteps) {
    if constexpr (!kStream) ahead.ask(k);
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
      if constexpr (kStream) ask_for_stream<kRows, kVectors>(w + (k + u) * w_stride);
      Vec weights[kVectors];
      ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) weights[v] = load(w + (k + u) * w_stride + v * kLanes);
      ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
        const Vec value = set1(x[r * x_stride + k + u]);
        ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) sums[u][r][v] = fma(value, weights[v], sums[u][r][v]);
      }
    }
  }
  if constexpr (kSteps > 1) {
    for (; k < depth; ++k) {
      ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
        const Vec value = set1(x[r * x_stride + k]);
        ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) {
          sums[0][r][v] = fma(value, load(w + k * w_stride + v * kLanes), sums[0][r][v]);
        }
      }
    }
  }
}

// out[kRows][kVectors] = start + x w. start null = 0; start_stride 0 = one row (a bias) for all. `ahead` is
// asked for meanwhile, or further on in w itself where that is streamed.
template <int kRows, int kVectors, bool kStream>
void product_tile(const float* x, int64_t x_stride, const float* w, int64_t w_stride, int64_t depth, const float* start,
                  int64_t start_stride, float* out, int64_t out_stride, const Ahead& ahead) {
  constexpr int kSteps = steps_for(kRows, kVectors);
  Vec sums[kSteps][kRows][kVectors];
  ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) {
        sums[u][r][v] = u == 0 && start != nullptr ? load(start + r * start_stride + v * kLanes) : set1(0.0F);
      }
    }
  }
  multiply_add<kRows, kVectors, kSteps, kStream>(x, x_stride, w, w_stride, depth, ahead, sums);
  ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
    ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) {
      Vec sum = sums[0][r][v];
      if constexpr (kSteps == 2) sum = sum + sums[1][r][v];
      if constexpr (kSteps == 4) sum = (sum + sums[1][r][v]) + (sums[2][r][v] + sums[3][r][v]);
      store(out + r * out_stride + v * kLanes, sum);
    }
  }
}

using ProductTile = void (*)(const float*, int64_t, const float*, int64_t, int64_t, const float*, int64_t, float*,
                             int64_t, const Ahead&);

struct ProductTiles {
  ProductTile by_size[kTileRows + 1][kPanelVectors + 1];
  ProductTile streamed[kMostStreamed + 1];  // whole panels that nobody reads again
};

template <int kRows>
constexpr void fill_tiles(ProductTiles& tiles) {
  tiles.by_size[kRows][1] = product_tile<kRows, 1, false>;
  tiles.by_size[kRows][2] = product_tile<kRows, 2, false>;
  if constexpr (kPanelVectors > 2) {
    tiles.by_size[kRows][3] = product_tile<kRows, 3, false>;
    tiles.by_size[kRows][4] = product_tile<kRows, 4, false>;
  }
  if constexpr (kRows <= kMostStreamed) tiles.streamed[kRows] = product_tile<kRows, kPanelVectors, true>;
  if constexpr (kRows > 1) fill_tiles<kRows - 1>(tiles);
}

constexpr ProductTiles make_tiles() {
  ProductTiles tiles{};
  fill_tiles<kTileRows>(tiles);
  return tiles;
}
constexpr ProductTiles kTiles = make_tiles();

// Y = activation(sums) [* second] + residual for a tile; sums rows lie kPanel apart.
template <typename Activate>
inline void finish_tile(const LinearBlock& b, Activate, const float* sums, const float* second, int64_t row,
                        int64_t rows, int64_t column, int64_t columns) {
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = sums + r * kPanel;
    const float* times = second + r * kPanel;
    const float* residual = b.residual == nullptr ? nullptr : b.residual + (row + r) * b.residual_stride + column;
    float* to = b.y + (row + r) * b.y_stride + column - b.y_column;
    for_vectors(columns, [&](int64_t i, auto read, auto write) {
      Vec value = activation<Activate::value>(load(from + i));
      if (b.gated) value = value * load(times + i);
      if (b.residual != nullptr) value = value + read(residual + i);
      write(to + i, value);
    });
  }
}

// Whether the sums of a panel are Y as they are.
inline bool is_plain(const LinearBlock& b, int64_t panel) {
  return !b.gated && b.activation == kNone && b.residual == nullptr && b.columns - panel * kPanel >= kPanel;
}

// Y of some rows of a panel that is not plain; `second`: sums of the other half of a gated one. kExact: in f32.
template <bool kExact>
inline void finish_rows(const LinearBlock& b, int64_t row, int64_t rows, int64_t panel, const float* sums,
                        const float* second) {
  const int64_t column = panel * kPanel;
  const int64_t columns = b.columns - column < kPanel ? b.columns - column : kPanel;
  const int activation = !kExact && b.activation == kGeluErf ? static_cast<int>(kGeluErfRough) : b.activation;
  with_activation(activation, [&](auto kind) { finish_tile(b, kind, sums, second, row, rows, column, columns); });
}

// Multiplies a block's panels one after the other. Few rows are finished one panel later: who waited for the last sums
// of a panel would not ask for the weights of the next. multiply(panel, place), place 0 or 1: where its sums go.
template <typename Multiply, typename Finish>
inline void for_panels(const LinearBlock& b, bool late, const Multiply& multiply, const Finish& finish) {
  ask_beside_weights(b);
  for (int64_t panel = b.panel_begin; panel < b.panel_end; ++panel) {
    ask_for_epilogue(b, panel + kPanelsAhead);
    multiply(panel, panel & 1);
    if (late && panel > b.panel_begin) finish(panel - 1, (panel - 1) & 1);
  }
  if (late) finish(b.panel_end - 1, (b.panel_end - 1) & 1);
}

// The bias of one panel, padded with zeros where the panel is.
inline const float* panel_bias(const float* bias, int64_t columns, float (&padded)[kPanel]) {
  if (columns >= kPanel) return bias;
  for (int64_t i = 0; i < kPanel; ++i) padded[i] = i < columns ? bias[i] : 0.0F;
  return padded;
}

struct Biases {
  const float *first, *second;
};
inline Biases biases_of(const LinearBlock& b, int64_t panel, float (&padded)[kPanel], float (&second_padded)[kPanel]) {
  if (b.bias == nullptr) return {nullptr, nullptr};
  const float* first = b.bias + panel * kPanel;
  const int64_t columns = b.columns - panel * kPanel;
  return {panel_bias(first, columns, padded),
          b.gated ? panel_bias(first + b.columns, columns, second_padded) : nullptr};
}

struct RowTiles {
  int64_t begin, rows, tiles;
  int64_t whole = 0;  // rows of all tiles but the last; 0 = they are nearly equal
  int64_t start_of(int64_t tile) const {
    if (whole > 0) return begin + (tile < tiles ? tile * whole : rows);
    const int64_t most = rows % tiles;
    return begin + tile * (rows / tiles) + (tile < most ? tile : most);
  }
  // Weights are then read once, from memory.
  bool stream_weights() const { return tiles == 1 && rows <= kMostStreamed; }
};

// Where the sums of a block's panels lie between the parts of a deep product.
template <typename Panels>
struct alignas(64) Workspace {
  float sums[(Panels::kCopiesInputs ? kPanelGroup : 2) * kRowBlock * kPanel];
  float x[Panels::kCopiesInputs ? kRowBlock * (kCopiedDepth + kLineFloats) : 1];
  float bias[2][kPanel];
  typename Panels::Space widened;
};

// One part [k, k + depth) of a product, for a group of panels.
struct Part {
  const float* x;  // row row_begin, at k
  int64_t x_stride, k, depth;
  bool first, last;
};

// X's rows one after the other with a line between them: rows that lie a multiple of 4096 bytes apart would compete
// for the same few places of the first-level cache.
inline Part copied(const LinearBlock& b, const Part& part, float* to) {
  const int64_t stride = kCopiedDepth + kLineFloats;
  for (int64_t r = 0; r < b.row_end - b.row_begin; ++r) {
    const float* from = part.x + r * part.x_stride;
    for_vectors(part.depth, [&](int64_t i, auto read, auto write) { write(to + r * stride + i, read(from + i)); });
  }
  Part result = part;
  result.x = to;
  result.x_stride = stride;
  return result;
}

// Panels of a product's weight that are floats: multiplied where they lie.
struct FloatPanels {
  struct Space {};
  static constexpr int64_t kShallow = 4096;  // up to this depth not cut: measured slower, but where rows collide
  static constexpr int64_t kFew = 8;         // fewer rows are not either
  static constexpr int64_t kDepthChunk = kCopiedDepth;
  static constexpr bool kCopiesInputs = true;
  static constexpr int64_t kNumberBytes = sizeof(float);
  static int64_t panel_bytes(int64_t in_features) { return in_features * kPanel * kNumberBytes; }
  // Of `depth` input features from `weights` on, floats.
  static const float* floats(const uint8_t* weights, int64_t, int64_t, Space&) {
    return reinterpret_cast<const float*>(weights);
  }
};

// Where a panel's weights lie from input feature k on.
template <typename Panels>
inline const uint8_t* weights_at(const LinearBlock& b, int64_t panel, int64_t k) {
  const int64_t halves = b.gated ? 2 : 1;
  return static_cast<const uint8_t*>(b.weight) + panel * halves * Panels::panel_bytes(b.in_features) +
         k * kPanel * Panels::kNumberBytes;
}

// One panel of Y: its sums in `sums` (second half kRowBlock rows further on), finished rows to Y, unless that is done
// later. `next`: the weights that are read after this panel's.
template <typename Panels>
inline void panel_product(const LinearBlock& b, const RowTiles& tiles, const Part& part, int64_t panel, bool shallow,
                          bool late, const Biases& bias, float* sums, const uint8_t* next,
                          typename Panels::Space& space) {
  const int64_t column = panel * kPanel;
  const int64_t halves = b.gated ? 2 : 1;
  const int64_t panel_bytes = Panels::panel_bytes(b.in_features);
  const uint8_t* stored = weights_at<Panels>(b, panel, part.k);
  const float* weights[2] = {Panels::floats(stored, part.depth, 0, space), nullptr};
  if (b.gated) weights[1] = Panels::floats(stored + panel_bytes, part.depth, 1, space);
  const bool plain = shallow && is_plain(b, panel);
  const int64_t out_stride = plain ? b.y_stride : kPanel;
  for (int64_t t = 0; t < tiles.tiles; ++t) {
    const int64_t row = tiles.start_of(t) - b.row_begin;
    const int64_t rows = tiles.start_of(t + 1) - b.row_begin - row;
    float* to =
        plain ? b.y + (b.row_begin + row) * b.y_stride + column - b.y_column : sums + (shallow ? 0 : row * kPanel);
    for (int64_t half = 0; half < halves; ++half, to += kRowBlock * kPanel) {
      const float* start = half == 0 ? bias.first : bias.second;
      const float* w = weights[half];
      // Not the other half, which is read at once: it was asked for while the panel before was multiplied.
      const int64_t bytes = part.depth * kLineBytes * Panels::kNumberBytes / 2;
      const Ahead ahead = ahead_of(next + half * panel_bytes, w, bytes, t, tiles.tiles);
      const ProductTile product = tiles.stream_weights() ? kTiles.streamed[rows] : kTiles.by_size[rows][kPanelVectors];
      product(part.x + row * part.x_stride, part.x_stride, w, kPanel, part.depth, part.first ? start : to,
              part.first ? 0 : out_stride, to, out_stride, ahead);
    }
    if (plain || late || !part.last) continue;
    const float* done = sums + (shallow ? 0 : row * kPanel);
    finish_rows<true>(b, b.row_begin + row, rows, panel, done, done + kRowBlock * kPanel);
  }
}

template <typename Panels>
void multiply_panels(const LinearBlock& b) {
  Workspace<Panels> space;
  const int64_t rows = b.row_end - b.row_begin;
  const RowTiles tiles{b.row_begin, rows, (rows + kTileRows - 1) / kTileRows};
  const float* x = b.x + b.row_begin * b.x_stride;
  const bool crowded = kTileRows > 8 && b.x_stride % 1024 == 0;  // more rows than a set of the cache has places
  if (rows < Panels::kFew || (b.in_features <= Panels::kShallow && !crowded)) {
    const Part whole{x, b.x_stride, 0, b.in_features, true, true};
    const bool late = tiles.stream_weights();
    const auto sums = [&](int64_t place) { return space.sums + place * kTileRows * kPanel; };
    for_panels(
        b, late,
        [&](int64_t panel, int64_t place) {
          const Biases bias = biases_of(b, panel, space.bias[0], space.bias[1]);
          panel_product<Panels>(b, tiles, whole, panel, true, late, bias, sums(place),
                                weights_at<Panels>(b, panel + 1, 0), space.widened);
        },
        [&](int64_t panel, int64_t place) {
          if (is_plain(b, panel)) return;
          finish_rows<true>(b, b.row_begin, rows, panel, sums(place), sums(place) + kRowBlock * kPanel);
        });
    return;
  }
  const int64_t parts = (b.in_features + Panels::kDepthChunk - 1) / Panels::kDepthChunk;
  const int64_t chunk = (b.in_features + parts * kLineFloats - 1) / (parts * kLineFloats) * kLineFloats;
  const int64_t halves = b.gated ? 2 : 1;
  const int64_t together = Panels::kCopiesInputs ? kPanelGroup / halves : 1;
  for (int64_t group = b.panel_begin; group < b.panel_end; group += together) {
    const int64_t group_end = group + together < b.panel_end ? group + together : b.panel_end;
    for (int64_t k = 0; k < b.in_features; k += chunk) {
      const int64_t depth = b.in_features - k < chunk ? b.in_features - k : chunk;
      Part part{x + k, b.x_stride, k, depth, k == 0, k + depth == b.in_features};
      if constexpr (Panels::kCopiesInputs) part = copied(b, part, space.x);
      const uint8_t* after = part.last ? weights_at<Panels>(b, group_end, 0) : weights_at<Panels>(b, group, k + depth);
      for (int64_t panel = group; panel < group_end; ++panel) {
        const int64_t slot = (panel - group) * halves;
        const Biases bias = biases_of(b, panel, space.bias[0], space.bias[1]);
        panel_product<Panels>(b, tiles, part, panel, false, false, bias, space.sums + slot * kRowBlock * kPanel,
                              panel + 1 < group_end ? weights_at<Panels>(b, panel + 1, k) : after, space.widened);
      }
    }
  }
}

void linear(const LinearBlock& b) { multiply_panels<FloatPanels>(b); }

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
