// Products over panels whose 32-bit words hold several neighbouring input features of a column: two bf16, four int8.
// A format says what a word is (bf16.hpp, int8.hpp) and how a tile is multiplied (vector_tiles.hpp, matrix_unit.hpp);
// the blocks are here.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::EncodeRows;

#if defined(ACCELERATE_HAS_MATRIX_UNIT)
constexpr int64_t kWordStep = 16;    // words of a panel come in multiples of it, the last ones zero
constexpr int64_t kRowPadding = 16;  // rows that are read together, whatever the last ones hold
constexpr int64_t kEncodedTileRows = 32;
#else
constexpr int64_t kWordStep = 1, kRowPadding = 1, kEncodedTileRows = kTileRows;
#endif

inline int64_t round_up(int64_t n, int64_t step) { return (n + step - 1) / step * step; }

// A row's bytes, in lines, and not a multiple of 4096 apart.
inline int64_t encoded_stride(int64_t bytes) {
  const int64_t lines = (bytes + kLineBytes - 1) / kLineBytes;
  return (lines % 64 == 0 ? lines + 1 : lines) * kLineBytes;
}

// What a tile that needs nothing asked for gets: vectors always ask, for what is there.
template <typename Format>
inline Ahead nothing_ahead(const uint8_t* w) {
  return {Format::kPadding == 1 ? w : nullptr, 0};
}

// Whole tiles where rows are read together.
template <typename Format>
inline RowTiles encoded_row_tiles(int64_t begin, int64_t end) {
  return {.begin = begin,
          .rows = end - begin,
          .tiles = (end - begin + Format::kRows - 1) / Format::kRows,
          .whole = Format::kPadding == 1 ? 0 : Format::kRows};
}

// One tile: encoded rows times one panel; start is null or the panel's bias, Format::kPadding times; out rows lie
// out_stride floats apart, and there are as many as that makes of them.
struct EncodedTile {
  const uint8_t* x;
  int64_t x_stride;
  const uint8_t* panel;
  int64_t in_features;
  const float* start;
  float* out;
  int64_t out_stride;
  Ahead ahead;
};

constexpr int64_t kMostRun = 256;  // of input features that are packed at once

// Up to kLanes rows of a source, a run of input features of each.
struct SourceRows {
  alignas(64) float values[kLanes][kMostRun];

  // values[r][i] = source(row + r, k + i) for r < rows, i < count.
  void read(const PackPanel& p, int64_t row, int64_t rows, int64_t k, int64_t count) {
    switch (p.stored) {
      case Stored::f16: return read_as<Stored::f16>(p, row, rows, k, count);
      case Stored::bf16: return read_as<Stored::bf16>(p, row, rows, k, count);
      default: return read_as<Stored::f32>(p, row, rows, k, count);
    }
  }

 private:
  template <Stored kStored>
  void read_as(const PackPanel& p, int64_t row, int64_t rows, int64_t k, int64_t count) {
    for (int64_t i = 0; i < count; i += kLanes) {
      const int64_t deep = count - i < kLanes ? count - i : kLanes;
      Vec block[kLanes];
      if (p.transposed) {
        for (int64_t d = 0; d < kLanes; ++d) {
          block[d] = d < deep ? load_stored<kStored>(p.source, (k + i + d) * p.stride + row, rows) : set1(0.0F);
        }
        transpose(block);
      } else {
        for (int64_t r = 0; r < rows; ++r)
          block[r] = load_stored<kStored>(p.source, (row + r) * p.stride + k + i, deep);
      }
      for (int64_t r = 0; r < rows; ++r) store(values[r] + i, block[r]);
    }
  }
};

// Calls body(column, values) for each row of the source, values [count] its input features from k on, which it may
// change; zeros follow up to the next multiple of kLanes.
template <typename Body>
inline void for_source_rows(const PackPanel& p, int64_t k, int64_t count, const Body& body) {
  SourceRows run;
  for (int64_t j = 0; j < p.rows; j += kLanes) {
    const int64_t rows = p.rows - j < kLanes ? p.rows - j : kLanes;
    run.read(p, j, rows, k, count);
    for (int64_t r = 0; r < rows; ++r) body(p.first_column + j + r, run.values[r]);
  }
}

// Whether a tile's sums are written to Y at once.
template <typename Format>
inline bool goes_to_y(const LinearBlock& b, int64_t panel, int64_t rows) {
  return is_plain(b, panel) && rows % Format::kPadding == 0;
}

// One panel of Y. kExact: the product is one of f32, whose activations are too. Rows that are not plain are finished
// here, unless that is done later.
template <typename Format, bool kExact>
inline void encoded_panel(const LinearBlock& b, const RowTiles& tiles, int64_t panel, bool late, const Biases& bias,
                          float* sums) {
  const int64_t column = panel * kPanel;
  const int64_t halves = b.gated ? 2 : 1;
  const int64_t panel_bytes = Format::panel_bytes(b.in_features);
  const uint8_t* weight = static_cast<const uint8_t*>(b.weight) + panel * halves * panel_bytes;
  const uint8_t* x = b.encoded == nullptr ? reinterpret_cast<const uint8_t*>(b.x) : b.encoded;
  const int64_t x_stride = b.encoded == nullptr ? b.x_stride * static_cast<int64_t>(sizeof(float)) : b.encoded_stride;
  for (int64_t t = 0; t < tiles.tiles; ++t) {
    const int64_t row = tiles.start_of(t), rows = tiles.start_of(t + 1) - row;
    const bool plain = goes_to_y<Format>(b, panel, rows);
    for (int64_t half = 0; half < halves; ++half) {
      const uint8_t* w = weight + half * panel_bytes;
      Ahead ahead = ahead_of(w + halves * panel_bytes, nothing_ahead<Format>(w).lines, panel_bytes, t, tiles.tiles);
      ahead.streams = tiles.stream_weights();
      Format::multiply(
          {.x = x + row * x_stride,
           .x_stride = x_stride,
           .panel = w,
           .in_features = b.in_features,
           .start = half == 0 ? bias.first : bias.second,
           .out = plain ? b.y + row * b.y_stride + column - b.y_column : sums + half * Format::kRows * kPanel,
           .out_stride = plain ? b.y_stride : kPanel,
           .ahead = ahead},
          rows);
    }
    if (!plain && !late) finish_rows<kExact>(b, row, rows, panel, sums, sums + Format::kRows * kPanel);
  }
}

// A panel's bias as tiles want it.
template <typename Format>
inline const float* repeated(const float* bias, float* rows) {
  if (bias == nullptr || Format::kPadding == 1) return bias;
  const Vec first = load(bias), second = load(bias + kLanes);
  for (int64_t r = 0; r < Format::kPadding; ++r) {
    store(rows + r * kPanel, first);
    store(rows + r * kPanel + kLanes, second);
  }
  return rows;
}

template <typename Format, bool kExact = false>
void linear_encoded(const LinearBlock& b) {
  alignas(64) float sums[2][2 * Format::kRows * kPanel], padded[2][kPanel], starts[2][Format::kPadding * kPanel];
  const RowTiles tiles = encoded_row_tiles<Format>(b.row_begin, b.row_end);
  const int64_t rows = b.row_end - b.row_begin;
  const bool late = tiles.stream_weights();
  [[maybe_unused]] const typename Format::Unit unit;
  for_panels(
      b, late,
      [&](int64_t panel, int64_t place) {
        const Biases bias = biases_of(b, panel, padded[0], padded[1]);
        const Biases start{repeated<Format>(bias.first, starts[0]), repeated<Format>(bias.second, starts[1])};
        encoded_panel<Format, kExact>(b, tiles, panel, late, start, sums[late ? place : 0]);
      },
      [&](int64_t panel, int64_t place) {
        if (goes_to_y<Format>(b, panel, rows)) return;
        finish_rows<kExact>(b, b.row_begin, rows, panel, sums[place], sums[place] + Format::kRows * kPanel);
      });
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
