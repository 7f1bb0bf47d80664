// Tiles of encoded products by the matrix unit (AMX): registers of 16 rows of 64 bytes. A panel's 16 words of two
// halves of 16 columns are what it takes as the right factor, 16 encoded rows as the left one.
//
// The compiler does not know that these instructions read and write memory: a barrier stands where vectors meet them.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

inline void barrier() { asm volatile("" : : : "memory"); }

// While there is one, this thread's tiles have 16 rows of 64 bytes.
class MatrixUnit {
 public:
  MatrixUnit() {
    alignas(64) Shapes shapes{};
    shapes.palette = 1;
    for (int tile = 0; tile < 8; ++tile) shapes.row_bytes[tile] = 64, shapes.rows[tile] = 16;
    barrier();
    _tile_loadconfig(&shapes);
  }
  MatrixUnit(const MatrixUnit&) = delete;
  MatrixUnit& operator=(const MatrixUnit&) = delete;
  ~MatrixUnit() { _tile_release(); }

 private:
  struct Shapes {
    uint8_t palette, start_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
  };
};

// Tiles 0 and 1 are the sums of rows 0 to 15 and both halves of the columns, 2 and 3 those of rows 16 to 31; 4 and 5
// are the inputs of these rows, 6 and 7 the weights of these columns.
#define ACCELERATE_TILE_PRODUCT(sum, input, weight) \
  if constexpr (kBytes) {                           \
    _tile_dpbssd(sum, input, weight);               \
  } else {                                          \
    _tile_dpbf16ps(sum, input, weight);             \
  }

// What is asked for while words are multiplied.
enum class Asks { nothing, ahead, stream };

// The sums of 16 or 32 rows over `words` words, added to the tiles; kBytes: of int8, else bf16.
template <bool kBytes, bool kBothRows, Asks kAsks>
ACCELERATE_INLINE void add_word_tiles_asking(const uint8_t* x, int64_t x_stride, const uint8_t* w, int64_t words,
                                             const Ahead& ahead) {
  constexpr int64_t kWordRow = kPanel * 4;
  for (int64_t word = 0; word < words; word += kWordStep) {
    const uint8_t* weights = w + word * kWordRow;
    const uint8_t* inputs = x + word * 4;
    // Measured so; asking for the second-level cache, as vectors do, was not tried on such a machine.
    if constexpr (kAsks == Asks::stream) ask_for_bytes<kEncodedTileRows, kFirstLevel>(weights, kWordStep * kWordRow);
    if constexpr (kAsks == Asks::ahead) {
      for (int64_t line = 0; line < kWordStep >> ahead.every; ++line) ahead.ask(word + (line << ahead.every));
    }
    _tile_loadd(6, weights, kWordRow);
    _tile_loadd(4, inputs, x_stride);
    ACCELERATE_TILE_PRODUCT(0, 4, 6)
    _tile_loadd(7, weights + kWordRow / 2, kWordRow);
    ACCELERATE_TILE_PRODUCT(1, 4, 7)
    if constexpr (kBothRows) {
      _tile_loadd(5, inputs + 16 * x_stride, x_stride);
      ACCELERATE_TILE_PRODUCT(2, 5, 6)
      ACCELERATE_TILE_PRODUCT(3, 5, 7)
    }
  }
}

template <bool kBytes, bool kBothRows>
ACCELERATE_INLINE void add_word_tiles(const uint8_t* x, int64_t x_stride, const uint8_t* w, int64_t words,
                                      const Ahead& ahead) {
  if (ahead.streams) return add_word_tiles_asking<kBytes, kBothRows, Asks::stream>(x, x_stride, w, words, ahead);
  if (ahead.lines == nullptr) {
    return add_word_tiles_asking<kBytes, kBothRows, Asks::nothing>(x, x_stride, w, words, ahead);
  }
  add_word_tiles_asking<kBytes, kBothRows, Asks::ahead>(x, x_stride, w, words, ahead);
}

// The tiles become 16 rows of floats of a panel, or zeros. (One row again and again, a stride of 0, takes four times as
// long as the whole product.)
template <bool kBothRows>
ACCELERATE_INLINE void start_tiles(const float* start) {
  if (start == nullptr) {
    _tile_zero(0);
    _tile_zero(1);
    if constexpr (kBothRows) {
      _tile_zero(2);
      _tile_zero(3);
    }
    return;
  }
  _tile_loadd(0, start, kPanel * 4);
  _tile_loadd(1, start + 16, kPanel * 4);
  if constexpr (kBothRows) {
    _tile_loadd(2, start, kPanel * 4);
    _tile_loadd(3, start + 16, kPanel * 4);
  }
}

// out: numbers of 32 bits, stride in bytes.
template <bool kBothRows>
ACCELERATE_INLINE void store_tiles(void* out, int64_t stride) {
  auto* to = static_cast<uint8_t*>(out);
  _tile_stored(0, to, stride);
  _tile_stored(1, to + 64, stride);
  if constexpr (kBothRows) {
    _tile_stored(2, to + 16 * stride, stride);
    _tile_stored(3, to + 16 * stride + 64, stride);
  }
  barrier();
}

// What the unit reaches when it does nothing else, with numbers: zeros are multiplied a fifth faster, with less power.
// Every 32 bits of the factors are `word`. Returns how many operations that was.
template <bool kBytes>
inline int64_t multiply_tiles(int64_t rounds, uint32_t word) {
  alignas(64) uint32_t factor[16 * 16];
  for (uint32_t& each : factor) each = word;
  const MatrixUnit unit;
  _tile_loadd(4, factor, 64);
  _tile_loadd(5, factor, 64);
  _tile_loadd(6, factor, 64);
  _tile_loadd(7, factor, 64);
  start_tiles<true>(nullptr);
  for (int64_t r = 0; r < rounds; ++r) {
    ACCELERATE_TILE_PRODUCT(0, 4, 6)
    ACCELERATE_TILE_PRODUCT(1, 4, 7)
    ACCELERATE_TILE_PRODUCT(2, 5, 6)
    ACCELERATE_TILE_PRODUCT(3, 5, 7)
  }
  return rounds * 4 * 16 * 16 * 16 * (kBytes ? 8 : 4);
}

#undef ACCELERATE_TILE_PRODUCT

struct Bf16 {
  using Unit = MatrixUnit;
  static constexpr int64_t kRows = kEncodedTileRows, kPadding = kRowPadding;
  static int64_t panel_bytes(int64_t in_features) { return bf16_panel_bytes(in_features); }
  static void multiply(const EncodedTile& t, int64_t rows) {
    barrier();
    rows > 16 ? tile<true>(t) : tile<false>(t);
  }

 private:
  template <bool kBothRows>
  static void tile(const EncodedTile& t) {
    start_tiles<kBothRows>(t.start);
    add_word_tiles<false, kBothRows>(t.x, t.x_stride, t.panel, bf16_words(t.in_features), t.ahead);
    store_tiles<kBothRows>(t.out, t.out_stride * static_cast<int64_t>(sizeof(float)));
  }
};

struct Int8 {
  using Unit = MatrixUnit;
  static constexpr int64_t kRows = kEncodedTileRows, kPadding = kRowPadding;
  static int64_t panel_bytes(int64_t in_features) { return int8_panel_bytes(in_features); }
  static void multiply(const EncodedTile& t, int64_t rows) {
    barrier();
    rows > 16 ? tile<true>(t, rows) : tile<false>(t, rows);
  }

 private:
  template <bool kBothRows>
  static void tile(const EncodedTile& t, int64_t rows) {
    alignas(64) int32_t sums[kEncodedTileRows * kPanel];
    const uint8_t* bytes = t.x + int8_header(t.in_features);
    const int64_t size = int8_group(t.in_features);
    for (int64_t k = 0, group = 0; k < t.in_features; k += size, ++group) {
      const int64_t words = int8_words(t.in_features - k < size ? t.in_features - k : size);
      const uint8_t* w = t.panel + group * group_bytes(size);
      start_tiles<kBothRows>(nullptr);
      add_word_tiles<true, kBothRows>(bytes + k, t.x_stride, w, words, t.ahead.from(k / 4));
      store_tiles<kBothRows>(sums, kPanel * 4);
      finish_group(t, group, reinterpret_cast<const float*>(w + words * kPanel * 4), sums, rows);
    }
  }

  // out (+)= a group's share, in floats.
  static void finish_group(const EncodedTile& t, int64_t group, const float* scales, const int32_t* sums,
                           int64_t rows) {
    const Vec scale[kPanelVectors] = {load(scales), load(scales + kLanes)};
    const Vec total[kPanelVectors] = {load(scales + kPanel), load(scales + kPanel + kLanes)};
    for (int64_t r = 0; r < rows; ++r) {
      const InputGroup& input = input_group(t, r, group);
      float* out = t.out + r * t.out_stride;
      const float* before = group > 0 ? out : t.start;
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        const Int sum = load_int(sums + r * kPanel + v * kLanes);
        add_group(input, sum, scale[v], total[v], before == nullptr ? before : before + v * kLanes, out + v * kLanes);
      }
    }
  }
};

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
