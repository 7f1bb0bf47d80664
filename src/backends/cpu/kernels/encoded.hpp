// Products over panels whose 32-bit words hold several neighbouring input features of a column: two bf16, four int8.
// A format (bf16.hpp, int8.hpp) says what a word is and how it is multiplied; the tiles and blocks are here.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::EncodeRows;

// sums[u][r][v] += x[r][word + u] * w[word + u][v]. As in multiply_add, few rows use kSteps > 1.
template <typename Format, int kRows, int kSteps>
ACCELERATE_INLINE void add_words(const uint8_t* x, int64_t x_stride, const uint8_t* w, int64_t words,
                                 const uint8_t* ahead, typename Format::Sum (&sums)[kSteps][kRows][kPanelVectors]) {
  constexpr int64_t kWordRow = kPanel * 4;
  const auto step = [&](int64_t word, auto& to) ACCELERATE_INLINE_LAMBDA {
    typename Format::Weights weights[kPanelVectors];
    ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
      weights[v] = Format::weights(w + word * kWordRow + v * kLanes * 4);
    }
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      const auto input = Format::input(x + r * x_stride, word);
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) to[r][v] = Format::add(to[r][v], input, weights[v]);
    }
  };
  int64_t word = 0;
  for (; word + kSteps <= words; word += kSteps) {
    __builtin_prefetch(ahead + word * kLineBytes, 0, 2);
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) step(word + u, sums[u]);
  }
  if constexpr (kSteps > 1) {
    for (; word < words; ++word) step(word, sums[0]);
  }
}

// Sums of kSteps chains into the first.
template <typename Format, int kRows, int kSteps>
ACCELERATE_INLINE void join_steps(typename Format::Sum (&sums)[kSteps][kRows][kPanelVectors]) {
  ACCELERATE_UNROLL for (int u = 1; u < kSteps; ++u) {
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        sums[0][r][v] = Format::join(sums[0][r][v], sums[u][r][v]);
      }
    }
  }
}

template <int kRows>
constexpr int steps_for() {
  return kRows * kPanelVectors >= 8 ? 1 : (kRows * kPanelVectors >= 4 ? 2 : 4);
}

// One tile: encoded rows times one panel; start is the panel's bias or null; out rows lie out_stride floats apart.
struct EncodedTile {
  const uint8_t* x;
  int64_t x_stride;
  const uint8_t* panel;
  int64_t in_features;
  const float* start;
  float* out;
  int64_t out_stride;
  const uint8_t* ahead;
};

using EncodedProduct = void (*)(const EncodedTile&);
struct EncodedProducts {
  EncodedProduct by_rows[kTileRows + 1];
};

template <typename Format, int kRows>
constexpr void fill_products(EncodedProducts& products) {
  products.by_rows[kRows] = Format::template tile<kRows>;
  if constexpr (kRows > 1) fill_products<Format, kRows - 1>(products);
}
template <typename Format>
constexpr EncodedProducts make_products() {
  EncodedProducts products{};
  fill_products<Format, kTileRows>(products);
  return products;
}
template <typename Format>
constexpr EncodedProducts kProducts = make_products<Format>();

template <typename Format>
inline void encoded_panel(const LinearBlock& b, const RowTiles& tiles, int64_t panel, const Biases& bias, float* sums) {
  const int64_t column = panel * kPanel;
  const int64_t columns = b.columns - column < kPanel ? b.columns - column : kPanel;
  const int64_t halves = b.gated ? 2 : 1;
  const int64_t panel_bytes = Format::panel_bytes(b.in_features);
  const uint8_t* weight = static_cast<const uint8_t*>(b.weight) + panel * halves * panel_bytes;
  const bool plain = !b.gated && b.activation == kNone && b.residual == nullptr && columns == kPanel;
  const uint8_t* x = b.encoded == nullptr ? reinterpret_cast<const uint8_t*>(b.x) : b.encoded;
  const int64_t x_stride = b.encoded == nullptr ? b.x_stride * static_cast<int64_t>(sizeof(float)) : b.encoded_stride;
  for (int64_t t = 0; t < tiles.tiles; ++t) {
    const int64_t row = tiles.start_of(t), rows = tiles.start_of(t + 1) - row;
    for (int64_t half = 0; half < halves; ++half) {
      const uint8_t* w = weight + half * panel_bytes;
      // The first two tiles ask for the panel that comes next.
      const uint8_t* ahead = t < 2 ? w + panel_bytes + t * panel_bytes / 2 : w;
      kProducts<Format>.by_rows[rows](
          {.x = x + row * x_stride,
           .x_stride = x_stride,
           .panel = w,
           .in_features = b.in_features,
           .start = half == 0 ? bias.first : bias.second,
           .out = plain ? b.y + row * b.y_stride + column : sums + half * kTileRows * kPanel,
           .out_stride = plain ? b.y_stride : kPanel,
           .ahead = ahead});
    }
    if (plain) continue;
    const int activation = b.activation == kGeluErf ? static_cast<int>(kGeluErfRough) : b.activation;
    with_activation(activation, [&](auto kind) {
      finish_tile(b, kind, sums, sums + kTileRows * kPanel, row, rows, column, columns);
    });
  }
}

template <typename Format>
void linear_encoded(const LinearBlock& b) {
  alignas(64) float sums[2 * kTileRows * kPanel], padded[2][kPanel];
  const int64_t rows = b.row_end - b.row_begin;
  const RowTiles tiles{b.row_begin, rows, (rows + kTileRows - 1) / kTileRows};
  for (int64_t panel = b.panel_begin; panel < b.panel_end; ++panel) {
    encoded_panel<Format>(b, tiles, panel, biases_of(b, panel, padded[0], padded[1]), sums);
  }
}

// values[i] = source(row, k + i) for i < count.
inline void read_source(const PackPanel& p, int64_t row, int64_t k, int64_t count, float* values) {
  const auto read = [&](auto stored) {
    constexpr Stored kStored = decltype(stored)::value;
    if (p.transposed) {
      for (int64_t i = 0; i < count; ++i) {
        alignas(64) float one[kLanes];
        store(one, load_stored<kStored>(p.source, (k + i) * p.stride + row, 1));
        values[i] = one[0];
      }
      return;
    }
    for (int64_t i = 0; i < count; i += kLanes) {
      const int64_t lanes = count - i < kLanes ? count - i : kLanes;
      store_up_to(values + i, load_stored<kStored>(p.source, row * p.stride + k + i, lanes), lanes);
    }
  };
  switch (p.stored) {
    case Stored::f16: return read(StoredAs<Stored::f16>{});
    case Stored::bf16: return read(StoredAs<Stored::bf16>{});
    default: return read(StoredAs<Stored::f32>{});
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
