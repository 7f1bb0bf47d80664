// Products over packed panels, for every level: the tile that attention shares, and the blocks of a linear layer.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::LinearBlock;

constexpr int kPanel = kPanelVectors * kLanes;
constexpr int kRowBlock = 96 / kTileRows * kTileRows;

#define ACCELERATE_INLINE inline __attribute__((always_inline))
#if defined(__clang__)
#define ACCELERATE_UNROLL _Pragma("clang loop unroll(full)")
#else
#define ACCELERATE_UNROLL _Pragma("GCC unroll 16")
#endif

// sums[u][r][v] += x[r][k + u] * w[k + u][v]. Few rows have too few sums to hide a multiply-add's latency: then
// kSteps > 1 values of k go to sums of their own.
template <int kRows, int kVectors, int kSteps>
ACCELERATE_INLINE void multiply_add(const float* x, int64_t x_stride, const float* w, int64_t w_stride, int64_t depth,
                                    Vec (&sums)[kSteps][kRows][kVectors]) {
  int64_t k = 0;
  for (; k + kSteps <= depth; k += kSteps) {
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
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

// out[kRows][kVectors] = start + x w. start null = 0; start_stride 0 = one row (a bias) for all.
template <int kRows, int kVectors>
void product_tile(const float* x, int64_t x_stride, const float* w, int64_t w_stride, int64_t depth, const float* start,
                  int64_t start_stride, float* out, int64_t out_stride) {
  constexpr int kSums = kRows * kVectors;
  constexpr int kSteps = kSums >= 8 ? 1 : (kSums >= 4 ? 2 : 4);
  Vec sums[kSteps][kRows][kVectors];
  ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      ACCELERATE_UNROLL for (int v = 0; v < kVectors; ++v) {
        sums[u][r][v] = u == 0 && start != nullptr ? load(start + r * start_stride + v * kLanes) : set1(0.0F);
      }
    }
  }
  multiply_add<kRows, kVectors, kSteps>(x, x_stride, w, w_stride, depth, sums);
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
                             int64_t);

struct ProductTiles {
  ProductTile by_size[kTileRows + 1][kPanelVectors + 1];
};

template <int kRows>
constexpr void fill_tiles(ProductTiles& tiles) {
  tiles.by_size[kRows][1] = product_tile<kRows, 1>;
  tiles.by_size[kRows][2] = product_tile<kRows, 2>;
  if constexpr (kPanelVectors > 2) {
    tiles.by_size[kRows][3] = product_tile<kRows, 3>;
    tiles.by_size[kRows][4] = product_tile<kRows, 4>;
  }
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
    float* to = b.y + (row + r) * b.y_stride + column;
    for_vectors(columns, [&](int64_t i, auto read, auto write) {
      Vec value = activation<Activate::value>(load(from + i));
      if (b.gated) value = value * load(times + i);
      if (b.residual != nullptr) value = value + read(residual + i);
      write(to + i, value);
    });
  }
}

// The bias of one panel, padded with zeros where the panel is.
inline const float* panel_bias(const float* bias, int64_t columns, float (&padded)[kPanel]) {
  if (bias == nullptr || columns == kPanel) return bias;
  for (int64_t i = 0; i < kPanel; ++i) padded[i] = i < columns ? bias[i] : 0.0F;
  return padded;
}

struct RowTiles {
  int64_t begin, rows, tiles;
  int64_t start_of(int64_t tile) const {
    const int64_t most = rows % tiles;
    return begin + tile * (rows / tiles) + (tile < most ? tile : most);
  }
};

// One panel of the weight for all the block's rows; sums of row r go to out + (r - row_begin) * out_stride.
inline void panel_product(const LinearBlock& b, const RowTiles& tiles, int64_t tile_begin, int64_t tile_end,
                          const float* panel, const float* bias, float* out, int64_t out_stride) {
  const int64_t first_row = tiles.start_of(tile_begin);
  for (int64_t k = 0; k < b.in_features; k += kDepthBlock) {
    const int64_t depth = b.in_features - k < kDepthBlock ? b.in_features - k : kDepthBlock;
    for (int64_t t = tile_begin; t < tile_end; ++t) {
      const int64_t row = tiles.start_of(t);
      const int64_t rows = tiles.start_of(t + 1) - row;
      float* to = out + (row - first_row) * out_stride;
      kTiles.by_size[rows][kPanelVectors](b.x + row * b.x_stride + k, b.x_stride, panel + k * kPanel, kPanel, depth,
                                          k == 0 ? bias : to, k == 0 ? 0 : out_stride, to, out_stride);
    }
  }
}

void linear(const LinearBlock& b) {
  alignas(64) float sums[2][kRowBlock * kPanel];
  alignas(64) float padded_bias[2][kPanel];
  const int64_t rows = b.row_end - b.row_begin;
  const RowTiles tiles{b.row_begin, rows, (rows + kTileRows - 1) / kTileRows};
  // Deep products go over all rows before the next part of the panel, shallow ones finish a tile while it is in L1.
  const int64_t together = b.in_features > kDepthBlock ? tiles.tiles : 1;
  const int64_t panel_floats = b.in_features * kPanel;
  for (int64_t panel = b.panel_begin; panel < b.panel_end; ++panel) {
    const int64_t column = panel * kPanel;
    const int64_t columns = b.columns - column < kPanel ? b.columns - column : kPanel;
    const float* weight = b.weight + panel * panel_floats * (b.gated ? 2 : 1);
    const float* bias = panel_bias(b.bias == nullptr ? nullptr : b.bias + column, columns, padded_bias[0]);
    const bool plain = !b.gated && b.activation == kNone && b.residual == nullptr && columns == kPanel;
    if (plain) {
      panel_product(b, tiles, 0, tiles.tiles, weight, bias, b.y + b.row_begin * b.y_stride + column, b.y_stride);
      continue;
    }
    const float* second = b.gated && b.bias != nullptr ? b.bias + b.columns + column : nullptr;
    const float* second_bias = panel_bias(second, columns, padded_bias[1]);
    for (int64_t tile = 0; tile < tiles.tiles; tile += together) {
      const int64_t row = tiles.start_of(tile);
      const int64_t tile_end = tile + together;
      panel_product(b, tiles, tile, tile_end, weight, bias, sums[0], kPanel);
      if (b.gated) panel_product(b, tiles, tile, tile_end, weight + panel_floats, second_bias, sums[1], kPanel);
      with_activation(b.activation, [&](auto kind) {
        finish_tile(b, kind, sums[0], sums[1], row, tiles.start_of(tile_end) - row, column, columns);
      });
    }
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
